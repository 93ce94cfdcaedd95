import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judgingFolder } from "../../../src/checkout/index.ts";
import {
  type Check,
  type CheckEntry,
  type CheckResult,
  type Config,
  checkOf,
  type JudgedCheck,
  type Verdict,
  type VerifyRequest,
} from "../../../src/domain/index.ts";
import { commitTree, GRAFTWORK, isAncestor, mergeTrees, openRepository, type Repository } from "../../../src/git/index.ts";
import { type QaContext, verifyCommit } from "../../../src/qa/index.ts";
import { type Files, hermeticEnv, type RepoOptions, type TempRepo, tempRepo, writeFiles } from "../../fixtures/index.ts";

export type QaLab = {
  repo: TempRepo;
  repository: Repository;
  context: QaContext;
  /** A file that checks may write to, outside everything; `notes()` is what they wrote. */
  notes: () => string;
  said: string[];
  /** Folders of verifications under the cache folder. */
  rooms: () => string[];
  /** A commit of these files on a branch of its own, the user's checkout back on `main` afterwards. */
  work: (files: Files, branch?: string) => string;
  /** Merges `commit` onto `base` (default `main`), as merging does before it asks; returns `commit` if it contains the base. */
  merged: (commit: string, base?: string) => Promise<string>;
  /** Returns the verdict on `commit` merged onto the base. */
  judge: (commit: string, request?: Partial<VerifyRequest>) => Promise<Verdict>;
};

export type LabOptions = RepoOptions & {
  checks?: readonly CheckEntry[];
  /** Of `checks`, those that only the task brings, and those of tasks that landed before. */
  ownChecks?: readonly Check[];
  earlierChecks?: readonly Check[];
  settings?: Partial<Config["qa"]>;
  setEnv?: Config["pool"]["env"];
  env?: Readonly<Record<string, string>> | ((repo: TempRepo) => Readonly<Record<string, string>>);
};

/** A repository and a context whose home and cache folders lie beside it, away from everything else. */
export async function qaLab(options: LabOptions = {}): Promise<QaLab> {
  const { checks = [], ownChecks = [], earlierChecks = [], settings, setEnv = {}, env, ...ofRepo } = options;
  const repo = tempRepo(ofRepo);
  const notes = join(repo.parent, "notes");
  const parentEnv = { ...hermeticEnv(), HOME: repo.parent, NOTES: notes, REPO: repo.dir, npm_config_fetch_retries: "0" };
  const repository = await openRepository(repo.dir, { parentEnv: { ...parentEnv, ...(typeof env === "function" ? env(repo) : env) } });
  const said: string[] = [];
  const has = (list: readonly Check[], check: Check): boolean => list.some((one) => JSON.stringify(one) === JSON.stringify(check));
  const standing = (check: Check): JudgedCheck["standing"] =>
    has(ownChecks, check) ? "own" : has(earlierChecks, check) ? "earlier" : "shared";
  const planned = checks.map(checkOf).map((check): JudgedCheck => ({ check, skip: null, standing: standing(check) }));
  const context: QaContext = {
    repository,
    run: "shell",
    logs: join(repo.parent, "logs"),
    settings: { checks: [], allowScripts: [], slots: 1, ...settings, env: ["NOTES", "REPO", ...(settings?.env ?? [])] },
    setEnv,
    checksFor: ({ defaults }) => (planned.length > 0 ? planned : defaults),
    now: () => new Date("2026-02-03T04:05:06Z"),
  };
  const rooms = judgingFolder(repository);
  const merged = async (commit: string, base = repo.git("rev-parse", "main")): Promise<string> => {
    if (await isAncestor(repository, base, commit)) return commit;
    const merge = await mergeTrees(repository, base, commit);
    if (!merge.clean) throw new Error(`conflict in ${merge.paths.join(", ")}`);
    return commitTree(repository, { tree: merge.tree, parents: [base, commit], message: "merge", person: GRAFTWORK });
  };
  return {
    repo,
    repository,
    context,
    said,
    notes: () => (existsSync(notes) ? readFileSync(notes, "utf8") : ""),
    rooms: () => (existsSync(rooms) ? readdirSync(rooms) : []),
    work(files, branch = "work") {
      repo.git("switch", "--quiet", "--create", branch, "main");
      const commit = repo.commit(files);
      repo.git("switch", "--quiet", "main");
      return commit;
    },
    merged,
    async judge(commit, request = {}) {
      const base = request.base ?? repo.git("rev-parse", "main");
      const rest = { label: "task-a", tasks: ["task-a"], earlier: [], onProgress: (line: string) => said.push(line), ...request };
      return verifyCommit(context, { ...rest, base, commit: await merged(commit, base) });
    },
  };
}

export function check(verdict: Verdict, name: string): CheckResult {
  const found = verdict.checks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no check ${name} in ${verdict.checks.map((one) => one.name).join(", ")}`);
  return found;
}

/** Adds files to the user's checkout without committing them. */
export function leave(lab: QaLab, files: Files): void {
  writeFiles(lab.repo.dir, files);
}
