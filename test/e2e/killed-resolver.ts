import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProcesses } from "../../src/subprocess/index.ts";
import { runCli, startCli } from "../fixtures/index.ts";
import { BOTH, ready, type Stage, stage } from "./resolver-stage.ts";

const scene = (): Stage => stage([[{ write: "list.txt", text: BOTH }, ...ready]]);

/** A place where a run can be killed: how many points it has passed there, and the name of the last. */
export type Point = { number: number; name: string };

/** After these nothing is another than before. */
const READS =
  /\.git-(?:cat-file|check-attr|config|diff-index|diff-tree|for-each-ref|log|ls-files|ls-tree|merge-base|rev-list|rev-parse|symbolic-ref)$/;

/**
 * The points that a run passes while an agent resolves its conflict, from the train that finds it to the verdict on what
 * came of it: each after which something has changed or runs. Dying before a step is dying after the one before it.
 */
export async function resolverPoints(): Promise<Point[]> {
  const { repo, plan } = scene();
  const log = join(repo.parent, "points");
  writeFileSync(log, "");
  const passed = (): string[] => readFileSync(log, "utf8").split("\n").slice(0, -1);
  const run = startCli(["run", plan, "--yes"], { cwd: repo.dir, env: { GRAFTWORK_FAILPOINT_LOG: log } });
  await run.saw(/merging left; verifying/);
  const first = passed().length;
  await run.saw(/right: attempt 2[\s\S]*right: QA approved/);
  const points = passed().map((name, index) => ({ number: index + 1, name }));
  const end = await run.result;
  if (end.code !== 0) throw new Error(`the run fails by itself: ${end.stdout}${end.stderr}`);
  return points.slice(first).filter(({ name }) => /^(?:done|started)\./.test(name) && !READS.test(name));
}

/**
 * Kills a run at that point, has the garbage collected, and continues it. Returns what is broken then, and whether the
 * run got so far: what tasks do side by side makes their points' order differ a little.
 */
export async function killAtPoint({ number }: Point): Promise<{ broken: string[]; killed: boolean }> {
  const { repo, plan } = scene();
  const first = await runCli(["run", plan, "--yes"], { cwd: repo.dir, env: { GRAFTWORK_FAILPOINT: `*@${number}=kill` } });
  repo.git("gc", "-q", "--prune=now");
  const end = await runCli(["continue"], { cwd: repo.dir });
  const broken: string[] = [];
  const must = (holds: boolean, what: string): void => void (holds || broken.push(what));
  must(end.code === 0, `continue ended with ${end.code}: ${end.stdout}${end.stderr}`);
  must(repo.git("show", "main:list.txt") === BOTH.trim(), "main has not both sides' lines");
  const works = repo
    .git("log", "--format=%s", "main")
    .split("\n")
    .filter((subject) => subject === "work");
  must(works.length === 2, `${works.length} commits of the tasks are in main`);
  must(repo.git("status", "--porcelain") === "", "the checkout is not as main");
  const pool = await runCli(["pool", "status", "--json"], { cwd: repo.dir });
  must(pool.stdout.includes('"busy":0,'), `a slot is leased: ${pool.stdout}`);
  const health = await runCli(["health"], { cwd: repo.dir, program: "pool-manager" });
  must(health.stdout.includes("Pool health: OK"), health.stdout);
  must(findProcesses({ markers: [], folders: [`${repo.dir}.pool`] }).length === 0, "an agent is still at work");
  repo.git("fsck", "--no-dangling");
  return { broken, killed: first.signal === "SIGKILL" || first.code === 137 };
}
