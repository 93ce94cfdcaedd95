import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { commitFiles, git, hermeticEnv, tempRepo, writeFiles } from "../../fixtures/index.ts";
import { join as joinBytes } from "./folder-bytes.ts";
import type { Lab } from "./lab.ts";

/** What a class of work has to say after the slot was cleared and garbage was collected. */
export type Check = (after: { repo: Lab["repo"]; note: { path: string; kept: string }[] | undefined }) => void;

/** One class of work that is in no branch: made in a slot, and what must be there of it besides the slot's files. */
export type UnsavedWork = {
  /** False where the class leaves no file that differs: then there is nothing to restore. */
  inFiles: boolean;
  make: (slot: string, repo: Lab["repo"]) => Check;
};

/** Rot-13: a filter that changes every letter, and is its own inverse. */
export const FILTER = "tr A-Za-z N-ZA-Mn-za-m";

/** Attributes and kinds of files that rescue must not look through. */
export const PROJECT = {
  ".gitattributes": "* text=auto\n*.utf16 text working-tree-encoding=UTF-16\n*.rot filter=rot\n",
  ".gitignore": "*.log\nout/\n",
  "text.txt": "one\ntwo\nthree\n",
  "keep/a.txt": "a\n",
  "keep/b.txt": "b\n",
  "run.sh": "#!/bin/sh\n",
  empty: "",
  "plain.rot": "Uryyb\n",
};

/** Set up before the pool is: the user's own filter, a file that is UTF-16 in the worktree, a link. */
export function makeProject({ repo }: Lab): void {
  repo.git("config", "filter.rot.clean", FILTER);
  repo.git("config", "filter.rot.smudge", FILTER);
  writeFileSync(join(repo.dir, "story.utf16"), utf16("once\n"));
  symlinkSync("text.txt", join(repo.dir, "link"));
  repo.commit(PROJECT, "the project");
}

export function utf16(text: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
}

const MIXED = "one\r\ntwo\nthree\r\n\r\n\n";
const BIG = "0123456789abcde\n".repeat(80_000);
const STRANGE = ["new\nline.txt", "tab\there", "quote \"and' \\back", "-leading", " space ", "ünï", "*glob?[x]", ":(top)x"];

/** Untracked files of every awkward kind, in `folder` and in the folder itself. */
function writeAwkward(folder: string, suffix = ""): void {
  mkdirSync(folder, { recursive: true });
  for (const name of STRANGE) writeFileSync(join(folder, `${name}${suffix}`), `${name}\r\nlf\n`);
  writeFileSync(joinBytes(Buffer.from(folder), Buffer.from(`n\xe9\xff${suffix}`, "latin1")), "a name that is no UTF-8");
  writeFileSync(join(folder, `mixed.txt${suffix}`), MIXED);
  writeFileSync(join(folder, `new.utf16${suffix}`), utf16("new\r\n"));
  writeFileSync(join(folder, `new.rot${suffix}`), "Plain text\r\n");
  writeFileSync(join(folder, `zero${suffix}`), "");
  writeFileSync(join(folder, `nul${suffix}`), Buffer.from([0, 255, 254, 13, 10, 0]));
  writeFileSync(join(folder, `big.bin${suffix}`), BIG);
  writeFileSync(join(folder, `program${suffix}`), "#!/bin/sh\n", { mode: 0o755 });
  symlinkSync("/nowhere/at all", join(folder, `dangling${suffix}`));
  symlinkSync("..", join(folder, `up${suffix}`));
  mkdirSync(join(folder, "hollow/inner"), { recursive: true });
  execFileSync("mkfifo", [join(folder, `pipe${suffix}`)]);
}

/** Changes of tracked files that git's own conversions would hide or alter. */
function changeTracked(slot: string): void {
  writeFileSync(join(slot, "text.txt"), MIXED);
  writeFileSync(join(slot, "story.utf16"), utf16("twice\r\nand\n"));
  writeFileSync(join(slot, "plain.rot"), "Not as the filter would have it\r\n");
  chmodSync(join(slot, "run.sh"), 0o755);
  rmSync(join(slot, "link"));
  symlinkSync("keep/a.txt", join(slot, "link"));
}

/** `rev:path` of the repository, byte for byte. */
function blob(repo: Lab["repo"], name: string): string {
  return execFileSync("git", ["cat-file", "blob", name], { cwd: repo.dir, env: hermeticEnv() }).toString("latin1");
}

function fails(slot: string, ...args: string[]): void {
  const env = { ...hermeticEnv(), GIT_EDITOR: ":" };
  expect(spawnSync("git", args, { cwd: slot, env }).status).toBe(1);
}

/** Objects that must be readable, whatever names them. */
function allReadable(oids: readonly string[]): Check {
  return ({ repo }) => {
    for (const oid of oids) expect(repo.git("cat-file", "-e", oid)).toBe("");
  };
}

export const UNSAVED: Record<string, UnsavedWork> = {
  staged: {
    inFiles: true,
    make: (slot) => {
      changeTracked(slot);
      writeFiles(slot, { "-staged": "staged\r\n", "staged only": "in the index alone\n" });
      git(slot, "mv", "keep/b.txt", "keep/tab\tb.txt");
      git(slot, "add", "--all");
      rmSync(join(slot, "staged only"));
      writeFileSync(join(slot, "text.txt"), "staged first, changed then\r\n");
      return allReadable(["staged only", "text.txt", "story.utf16", "plain.rot"].map((path) => git(slot, "rev-parse", `:${path}`)));
    },
  },
  unstaged: {
    inFiles: true,
    make: (slot) => {
      changeTracked(slot);
      rmSync(join(slot, "keep"), { recursive: true });
      writeFileSync(join(slot, "keep"), "a file where a folder was");
      writeFileSync(join(slot, "empty"), BIG);
      return () => undefined;
    },
  },
  untracked: {
    inFiles: true,
    make: (slot) => {
      writeAwkward(slot);
      writeAwkward(join(slot, "new/folder"));
      writeAwkward(join(slot, "keep"));
      return () => undefined;
    },
  },
  ignored: {
    inFiles: true,
    make: (slot) => {
      writeAwkward(join(slot, "out/deep"));
      writeAwkward(slot, ".log");
      return () => undefined;
    },
  },
  "assume-unchanged": {
    inFiles: true,
    make: (slot) => {
      git(slot, "update-index", "--assume-unchanged", "text.txt", "story.utf16", "plain.rot", "run.sh", "link", "keep/a.txt");
      changeTracked(slot);
      rmSync(join(slot, "keep/a.txt"));
      return () => undefined;
    },
  },
  "skip-worktree": {
    inFiles: true,
    make: (slot) => {
      git(slot, "update-index", "--skip-worktree", "text.txt", "story.utf16", "plain.rot", "run.sh", "link", "keep/a.txt");
      changeTracked(slot);
      rmSync(join(slot, "keep/a.txt"));
      return () => undefined;
    },
  },
  "commits on a detached HEAD": {
    inFiles: false,
    make: (slot) => {
      git(slot, "checkout", "--quiet", "--detach");
      const first = commitFiles(slot, { "text.txt": MIXED, "-new": "1" });
      git(slot, "commit", "--quiet", "--amend", "-m", "amended");
      const amended = git(slot, "rev-parse", "HEAD");
      git(slot, "reset", "--quiet", "--hard", "HEAD^");
      return allReadable([first, amended, commitFiles(slot, { "tab\there": "2" })]);
    },
  },
  "a stopped merge": {
    inFiles: true,
    make: (slot) => {
      const base = git(slot, "rev-parse", "HEAD");
      commitFiles(slot, { "text.txt": "ours\n" });
      const ours = git(slot, "rev-parse", "HEAD");
      git(slot, "checkout", "--quiet", "--detach", base);
      const theirs = commitFiles(slot, { "text.txt": "theirs\n", "theirs.txt": "x" });
      git(slot, "checkout", "--quiet", "-");
      fails(slot, "merge", theirs);
      writeFileSync(join(slot, "text.txt"), "half solved\r\n");
      return allReadable([ours, theirs]);
    },
  },
  "a stopped rebase": {
    inFiles: true,
    make: (slot) => {
      const base = git(slot, "rev-parse", "HEAD");
      const one = commitFiles(slot, { "one.txt": "1\n" });
      const two = commitFiles(slot, { "text.txt": "ours\n" });
      const three = commitFiles(slot, { "three.txt": "3\n" });
      git(slot, "checkout", "--quiet", "--detach", base);
      const onto = commitFiles(slot, { "text.txt": "onto\n" });
      git(slot, "checkout", "--quiet", "--detach", three);
      writeFileSync(join(slot, "keep/a.txt"), "put aside by --autostash\r\n");
      fails(slot, "rebase", "--autostash", onto);
      const admin = git(slot, "rev-parse", "--absolute-git-dir");
      const aside = readFileSync(join(admin, "rebase-merge/autostash"), "utf8").trim();
      writeFileSync(join(slot, "text.txt"), "half solved\r\n");
      return allReadable([one, two, three, onto, git(slot, "rev-parse", "HEAD"), aside, `${aside}:keep/a.txt`]);
    },
  },
  "a nested repository": {
    inFiles: true,
    make: (slot) => {
      for (const folder of ["inner", "out/inner", "keep"]) {
        const inner = join(slot, folder);
        mkdirSync(inner, { recursive: true });
        git(inner, "init", "--quiet", "--template=");
        git(inner, "config", "user.name", "A");
        git(inner, "config", "user.email", "a@example.invalid");
        commitFiles(inner, { "in-history.txt": "gone from the files\n" });
        rmSync(join(inner, "in-history.txt"));
        if (folder !== "keep") writeAwkward(join(inner, "deep"));
      }
      return () => undefined;
    },
  },
  "a stash entry": {
    inFiles: false,
    make: (slot) => {
      changeTracked(slot);
      writeFiles(slot, { "new.txt": MIXED, "ignored.log": "ignored\0\r\n" });
      const mark = `work of ${slot}`;
      git(slot, "stash", "push", "--quiet", "--all", "-m", mark);
      return ({ repo }) => {
        const entry =
          repo
            .git("stash", "list")
            .split("\n")
            .find((line) => line.includes(mark)) ?? "";
        const name = entry.slice(0, entry.indexOf(":"));
        expect(name).toMatch(/^stash@/);
        expect(blob(repo, `${name}^3:ignored.log`)).toBe("ignored\0\r\n");
        expect(repo.git("diff", "--name-only", `${name}^`, name).split("\n").sort()).toEqual([
          "link",
          "plain.rot",
          "run.sh",
          "story.utf16",
          "text.txt",
        ]);
      };
    },
  },
  "a submodule": {
    inFiles: true,
    make: (slot) => {
      const origin = tempRepo({ files: { "lib.txt": "lib\n" } });
      git(slot, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", origin.dir, "libs/sub");
      git(slot, "commit", "--quiet", "-m", "a submodule");
      const sub = join(slot, "libs/sub");
      git(sub, "config", "user.name", "A");
      git(sub, "config", "user.email", "a@example.invalid");
      const commit = commitFiles(sub, { "own.txt": "in the submodule's own store\r\n" });
      writeFileSync(join(sub, "unsaved.txt"), MIXED);
      return ({ repo, note }) => {
        const kept = note?.find(({ path }) => path === ".git/modules")?.kept ?? "";
        const store = join(kept, "libs/sub");
        expect(readdirSync(store)).toContain("objects");
        expect(
          execFileSync("git", ["--git-dir", store, "--work-tree", repo.parent, "cat-file", "blob", `${commit}:own.txt`]).toString(),
        ).toBe("in the submodule's own store\r\n");
      };
    },
  },
};
