import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LandResult, land, recoverLanding } from "../../../src/merge/index.ts";
import { atEnd, bundled, hermeticEnv, type TempRepo, tempRepo, writeFiles } from "../../fixtures/index.ts";
import { mergeContext } from "../../fixtures/merge-context.ts";

const WORKER = new URL("worker.ts", import.meta.url);

export type Stage = { repo: TempRepo; from: string; to: string; paths: string[] };

/** Two commits of `count` files and of every kind of change; `main` is checked out at the first. */
export function stage(count: number, kib = 1): Stage {
  const repo = tempRepo({ files: { "untouched.txt": "u\n", "b.txt": "b\n" } });
  const paths = Array.from({ length: count }, (_, n) => `many/${n % 17}/file-${String(n).padStart(4, "0")}.txt`);
  const texts = (word: string) => Object.fromEntries(paths.map((path) => [path, `${word} ${path}\n`.repeat(Math.ceil((kib * 1024) / 36))]));
  writeFiles(repo.dir, { ...texts("old"), "was/file": "f\n", "folder/one": "1\n", "gone/only": "g\n" });
  symlinkSync("b.txt", join(repo.dir, "link"));
  const from = repo.commit({}, "old");
  for (const path of ["was/file", "folder", "gone", "link"]) rmSync(join(repo.dir, path), { recursive: true });
  writeFiles(repo.dir, { ...texts("new"), "was/file/inner": "i\n", folder: "a file\n", "new/deep/file": "n\n" });
  symlinkSync("untouched.txt", join(repo.dir, "link"));
  const to = repo.commit({}, "new");
  repo.git("reset", "-q", "--hard", from);
  return { repo, from, to, paths };
}

/** Copies nothing: the checkout is brought back to where `stage` left it. */
export function reset({ repo, from }: Stage): void {
  rmSync(join(repo.dir, ".git/index.lock"), { force: true });
  repo.git("reset", "-q", "--hard", from);
  repo.git("clean", "-qfd");
}

export type Victim = { child: ChildProcess; began: Promise<void>; ended: Promise<string> };

/** Starts a coordinator that lands the stage's commit; `began` when its landing is on its way. */
export async function startLanding({ repo, from, to }: Stage, env: Readonly<Record<string, string>> = {}): Promise<Victim> {
  const child = spawn(process.execPath, [await bundled(WORKER), JSON.stringify({ repo: repo.dir, from, to })], {
    cwd: repo.parent,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...hermeticEnv(), ...env },
  });
  atEnd(() => void child.kill("SIGKILL"));
  let said = "";
  const ended = new Promise<string>((resolve) => child.on("close", () => resolve(said)));
  const began = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("landing\n")) resolve();
    });
    child.on("close", () => resolve());
  });
  return { child, began, ended };
}

/** The same by git's own merge. */
export async function startMerge({ repo, to }: Stage): Promise<Victim> {
  const args = ["-c", "core.hooksPath=/dev/null", "merge", "-q", "--ff-only", "--no-overwrite-ignore", to];
  const child = spawn("git", args, { cwd: repo.dir, stdio: "ignore", env: hermeticEnv() });
  const ended = new Promise<string>((resolve) => child.on("close", () => resolve("")));
  return { child, began: Promise.resolve(), ended };
}

/** How long it takes from its beginning, in milliseconds; the checkout is as before afterwards. */
export async function landingLength(made: Stage, start: () => Promise<Victim>): Promise<number> {
  let length = 0;
  // The first one meets cold files.
  for (let round = 0; round < 2; round++) {
    reset(made);
    const whole = await start();
    await whole.began;
    const began = performance.now();
    await whole.ended;
    length = performance.now() - began;
  }
  reset(made);
  return length;
}

const contextOf = (repo: TempRepo): ReturnType<typeof mergeContext> => mergeContext(repo.dir, hermeticEnv());

export async function landHere({ repo, from, to }: Stage): Promise<LandResult> {
  return land(await contextOf(repo), { from, to, tasks: [] });
}

/** What `graftwork continue` does with a landing that its journal does not call ended. */
export async function recover({ repo, from, to }: Stage): Promise<readonly string[]> {
  const { foreign } = await recoverLanding(await contextOf(repo), { from, to, tasks: [], checkout: repo.dir, byFile: true });
  return foreign;
}

/** Every way in which the checkout is not wholly the one or the other commit; `saved` files of a person's apart. */
export function halves({ repo, from, to }: Stage, saved: readonly string[] = []): string[] {
  const head = repo.git("rev-parse", "main");
  const lock = join(repo.dir, ".git/index.lock");
  const changed = repo
    .git("status", "--porcelain", "-uall", "-z")
    .split("\0")
    .filter((line) => line !== "" && !saved.includes(line.slice(3)));
  return [
    ...(head === from || head === to ? [] : [`main is at ${head}`]),
    ...(existsSync(lock) ? ["index.lock was left"] : []),
    ...changed.map((line) => `${head === to ? "new" : "old"}: ${line}`),
    ...(repo.git("diff", "--cached", "--name-only", head) === "" ? [] : ["the index is another"]),
  ];
}

/** True where these bytes are in the checkout, or among what a landing moved aside. */
export function isKept({ repo }: Stage, path: string, text: string): boolean {
  const landings = join(repo.dir, ".git/graftwork/landings");
  const places = existsSync(landings)
    ? readdirSync(landings).flatMap((name) => ["old", "out"].map((part) => join(landings, name, part)))
    : [];
  return [repo.dir, ...places].some((place) => textAt(join(place, path)) === text);
}

function textAt(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true) return readlinkSync(path);
  return stat?.isFile() === true ? readFileSync(path, "utf8") : undefined;
}

/** Points that a landing passes, in their order. */
export async function landingPoints(made: Stage): Promise<string[]> {
  const log = join(made.repo.parent, "points");
  // The first ones in a repository make what later ones find.
  for (let round = 0; round < 2; round++) {
    await (await startLanding(made)).ended;
    reset(made);
  }
  writeFileSync(log, "");
  await (await startLanding(made, { GRAFTWORK_FAILPOINT_LOG: log })).ended;
  return readFileSync(log, "utf8").trimEnd().split("\n");
}
