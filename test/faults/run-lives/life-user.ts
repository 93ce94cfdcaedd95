import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Judge } from "./life-judge.ts";
import { oneOf, REWRITTEN, type Roll } from "./life-plan.ts";
import { type LifeStage, treeOf } from "./life-stage.ts";

export type User = {
  /** Does something at random in the repository, as a person beside a run. */
  act: () => void;
  /** Ends what is half done, and returns what of the user's own files was lost. */
  tidy: () => string[];
  /** What was done, in order. */
  done: string[];
};

const MINE = "the user's own\n";

/** A person at work in the target's checkout. What git refuses is not done. */
export function userOf(stage: LifeStage, judge: Judge, roll: Roll): User {
  const { repo, life } = stage;
  const { dir, git } = repo;
  const done: string[] = [];
  const unsaved = new Set<string>();
  let count = 0;
  const ids = life.tasks.map(({ id }) => id);
  const inMain = (path: string): boolean => treeOf(repo, "main").has(path);
  const isOnMain = (): boolean => git("branch", "--show-current") === "main";
  const isRoot = (): boolean => git("rev-list", "--count", "--first-parent", "HEAD") === "1";
  const commit = (path: string, text: string): void => {
    writeFileSync(join(dir, path), text);
    git("add", path);
    git("commit", "-q", "-m", `by the user: ${path} ${++count}`, "--", path);
  };
  const one = (values: readonly string[]): string => values[roll(values.length)] ?? "";

  const acts: Readonly<Record<string, () => string | undefined>> = {
    commit: () => {
      commit(`user-${roll(3)}.txt`, `${count}\n`);
      return "";
    },
    rewrite: () => {
      const path = oneOf(roll, REWRITTEN);
      commit(path, `the user was here ${count}\n`);
      return path;
    },
    forbid: () => {
      const id = one(ids);
      if (inMain(`${id}.txt`)) return undefined;
      commit(`no-${id}.txt`, `${count}\n`);
      return id;
    },
    allow: () => {
      const path = one([...treeOf(repo, "main").keys()].filter((name) => name.startsWith("no-")));
      if (path === "") return undefined;
      git("rm", "-q", path);
      git("commit", "-q", "-m", `by the user: without ${path} ${++count}`, "--", path);
      return path;
    },
    block: () => {
      const path = `${one(ids)}.txt`;
      if (existsSync(join(dir, path))) return undefined;
      writeFileSync(join(dir, path), MINE);
      unsaved.add(path);
      return path;
    },
    change: () => {
      const path = oneOf(roll, REWRITTEN);
      writeFileSync(join(dir, path), MINE);
      unsaved.add(path);
      return path;
    },
    reset: () => {
      const to = `HEAD~${1 + roll(2)}`;
      git("reset", "-q", "--hard", to);
      return to;
    },
    amend: () => {
      if (isRoot()) return undefined;
      git("commit", "-q", "--amend", "--allow-empty", "-m", `amended ${++count}`);
      return "";
    },
    revert: () => {
      const recent = git("rev-list", "--first-parent", "--parents", "-4", "HEAD").split("\n");
      const [commit = "", ...parents] = one(recent).split(" ");
      if (parents.length === 0) return undefined;
      git("revert", "--no-edit", ...(parents.length > 1 ? ["-m", "1"] : []), commit);
      return commit.slice(0, 12);
    },
    merge: () => {
      const branch = one(git("for-each-ref", "--format=%(refname:short)", "refs/heads/auto").split("\n").filter(Boolean));
      if (branch === "") return undefined;
      git("merge", "-q", "--no-ff", "-m", `by the user: ${branch} ${++count}`, branch);
      return branch;
    },
    take: () => {
      const ref = git("for-each-ref", "--format=%(refname)", "refs/graftwork/merged").split("\n")[0] ?? "";
      if (ref === "") return undefined;
      git("merge", "-q", "--ff-only", "--no-overwrite-ignore", ref);
      return ref;
    },
    leave: () => {
      git("switch", "-q", "--detach");
      return "";
    },
  };
  const names = Object.keys(acts);

  const holdsMine = (path: string): boolean => existsSync(join(dir, path)) && readFileSync(join(dir, path), "utf8") === MINE;
  const tidyGit = (): void => {
    for (const command of ["merge", "revert"]) attempt(() => git(command, "--abort"));
    if (!isOnMain()) attempt(() => git("switch", "-q", "main"));
  };
  const act = (): void => {
    judge.byUser((): void => {
      if (!isOnMain()) return void attempt(() => done.push(`home ${git("switch", "-q", "main")}`));
      if (unsaved.size > 0 && roll(3) === 0) {
        for (const path of unsaved) attempt(() => (inMain(path) ? git("checkout", "-q", "--", path) : rmSync(join(dir, path))));
        unsaved.clear();
        return void done.push("unblock");
      }
      const name = one(names);
      const what = attempt(() => acts[name]?.());
      if (what !== undefined) done.push(`${name} ${what} → ${git("rev-parse", "--short", "main")}`);
      else tidyGit();
      // A reset takes the user's own changes with it.
      for (const path of unsaved) if (!holdsMine(path)) unsaved.delete(path);
    });
  };
  return {
    act,
    done,
    tidy: () => {
      const lost = [...unsaved].filter((path) => !holdsMine(path));
      for (const path of lost) unsaved.delete(path);
      judge.byUser(tidyGit);
      return lost.map((path) => `the user's own ${path} was written over`);
    },
  };
}

/** Does what git may refuse. */
function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
