import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judgingFolder } from "../../../src/checkout/index.ts";
import {
  type Check,
  type CheckEntry,
  type CheckResult,
  type Config,
  checkOf,
  type Verdict,
  type VerifyRequest,
} from "../../../src/domain/index.ts";
import { openRepository, type Repository } from "../../../src/git/index.ts";
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
  /** The verdict on `commit` merged onto `main`; throws where it is a conflict. */
  judge: (commit: string, request?: Partial<VerifyRequest>) => Promise<Verdict>;
};

export type LabOptions = RepoOptions & {
  checks?: readonly CheckEntry[];
  ownChecks?: readonly Check[];
  settings?: Partial<Config["qa"]>;
  setEnv?: Config["pool"]["env"];
  env?: Readonly<Record<string, string>> | ((repo: TempRepo) => Readonly<Record<string, string>>);
};

/** A repository and a context whose home and cache folders lie beside it, away from everything else. */
export async function qaLab(options: LabOptions = {}): Promise<QaLab> {
  const { checks = [], ownChecks, settings, setEnv = {}, env, ...ofRepo } = options;
  const repo = tempRepo(ofRepo);
  const notes = join(repo.parent, "notes");
  const parentEnv = { ...hermeticEnv(), HOME: repo.parent, NOTES: notes, REPO: repo.dir, npm_config_fetch_retries: "0" };
  const repository = await openRepository(repo.dir, { parentEnv: { ...parentEnv, ...(typeof env === "function" ? env(repo) : env) } });
  const said: string[] = [];
  const planned = checks.map(checkOf);
  const context: QaContext = {
    repository,
    run: "shell",
    logs: join(repo.parent, "logs"),
    settings: { checks: [], allowScripts: [], slots: 1, ...settings, env: ["NOTES", "REPO", ...(settings?.env ?? [])] },
    setEnv,
    checksFor: () => planned,
    ...(ownChecks === undefined ? {} : { ownChecks: () => ownChecks }),
    now: () => new Date("2026-02-03T04:05:06Z"),
  };
  const rooms = judgingFolder(repository);
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
    async judge(commit, request = {}) {
      const whole = { label: "task-a", tasks: ["task-a"], commit, base: repo.git("rev-parse", "main"), ...request };
      const verification = await verifyCommit(context, { onProgress: (line) => said.push(line), ...whole });
      if (verification.decision === "conflict") throw new Error(`conflict in ${verification.paths.join(", ")}`);
      return verification;
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
