import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { atEnd, bundled, hermeticEnv, runCli, type TempRepo, tempFolder, tempRepo } from "../fixtures/index.ts";
import { SETTINGS } from "../integration/pool/lab.ts";
import { Archive, judgeHistory } from "./history.ts";
import { judgeStorm } from "./judge.ts";
import { readLines, type StormLine, stormClock, writeLine } from "./log.ts";
import { randomOf } from "./random.ts";
import { settle } from "./settle.ts";
import type { WorkerOrder } from "./worker.ts";

export type StormOptions = {
  seed: number;
  workers: number;
  slots: number;
  /** The storm goes on until at least so many operations were acknowledged, workers killed and stopped. */
  operations: number;
  kills: number;
  stops: number;
  waitingRoom: boolean;
};

export type StormReport = {
  operations: number;
  acquires: number;
  kills: number;
  stops: number;
  /** Stops of several seconds. */
  longStops: number;
  fenced: number;
  rescues: number;
  seconds: number;
  violations: readonly string[];
  summary: string;
};

/** Longest time without one acknowledged operation: the longest stop, and all patience of the waiting room. */
const STALLED_MS = 120_000;

type Worker = { child: ChildProcess; pid: number; seat: number; stopped: boolean; expected: boolean; ended: Promise<void> };

/**
 * Many processes use one pool while they are killed, stopped and replaced at random. What the seed decides is whom
 * and how often; the machine decides where in its work that meets a process.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const folder = tempFolder("storm");
  const logs = join(folder, "logs");
  mkdirSync(logs);
  const repo = tempRepo();
  const made = await runCli(["init", String(options.slots)], { cwd: repo.dir, program: "pool-manager" });
  if (made.code !== 0) throw new Error(made.stderr);
  const crew = await crewOf(options, repo, folder);
  const began = stormClock();
  const archive = new Archive(join(repo.dir, ".git/graftwork/pool"), join(folder, "records"));
  const { longStops } = await blow(options, crew, folder, archive);
  await crew.end();
  archive.collect();
  const seconds = Math.round((stormClock() - began) / 1000);
  const lines = readLines(logs);
  const settled = await settle(repo, options.slots, lines);
  const violations = [...crew.complaints, ...judgeStorm(lines), ...judgeHistory(archive.records(), lines), ...settled.violations];
  const count = (...what: StormLine["what"][]): number => lines.filter((line) => what.includes(line.what)).length;
  const report = {
    operations: count("acquired", "released", "robbed"),
    acquires: count("acquired"),
    kills: count("killed"),
    stops: count("stopped"),
    longStops,
    fenced: count("fenced"),
    rescues: settled.rescues,
    seconds,
    violations,
  };
  const { operations, acquires, kills, stops, fenced } = report;
  const summary =
    `storm seed=${options.seed} waiting-room=${options.waitingRoom ? "on" : "off"}: ${operations} operations acknowledged ` +
    `(${acquires} acquires, ${count("robbed")} robbed), ${count("refused")} refused, ${kills} kills, ${stops} stops (${longStops} long), ` +
    `${fenced} fenced, ${count("stranger")} strangers met, ${report.rescues} rescues, ${settled.litter} temporary files left, ${violations.length} violations, ${seconds} s`;
  return { ...report, summary };
}

type Crew = {
  workers: Map<number, Worker>;
  complaints: string[];
  kill: (worker: Worker) => void;
  /** Lets all of them go home, and waits for it. */
  end: () => Promise<void>;
};

/** Starts the workers, and another one in the place of each that was killed. */
async function crewOf(options: StormOptions, repo: TempRepo, folder: string): Promise<Crew> {
  const program = await bundled(new URL("worker.ts", import.meta.url));
  const stop = join(folder, "stop");
  const tasks = Array.from({ length: options.slots * 4 }, (_, n) => `task-${n}`);
  const workers = new Map<number, Worker>();
  const complaints: string[] = [];
  let started = 0;

  const start = (seat: number): void => {
    started += 1;
    const errors = join(folder, `stderr.${started}`);
    const own: readonly string[] = [`own-${seat}-1`, `own-${seat}-2`];
    const order: WorkerOrder = {
      repo: repo.dir,
      seat: `seat-${seat}`,
      seed: options.seed * 10_007 + started,
      log: join(folder, "logs", `worker.${started}.jsonl`),
      acks: join(folder, "acks"),
      stop,
      tasks: [...own, ...tasks],
      settings: { ...SETTINGS, copy: [] },
    };
    const stderr = openSync(errors, "w");
    const child = spawn(process.execPath, [program, JSON.stringify(order)], {
      cwd: folder,
      stdio: ["ignore", "ignore", stderr],
      env: { ...hermeticEnv(), ...(options.waitingRoom ? {} : { GRAFTWORK_FAILPOINT: "waiting-room=off" }) },
    });
    closeSync(stderr);
    const pid = child.pid ?? 0;
    const ended = new Promise<void>((resolve) => {
      child.on("exit", (code, signal) => {
        workers.delete(pid);
        if (code !== 0 && !worker.expected)
          complaints.push(`worker ${pid} ended by itself with ${code ?? signal}: ${readFileSync(errors, "utf8").slice(0, 2000)}`);
        if (!existsSync(stop)) start(seat);
        resolve();
      });
    });
    const worker: Worker = { child, pid, seat, stopped: false, expected: false, ended };
    workers.set(pid, worker);
  };
  atEnd(() => {
    writeFileSync(stop, "");
    for (const { child } of workers.values()) child.kill("SIGKILL");
  });
  for (let seat = 0; seat < options.workers; seat++) start(seat);

  return {
    workers,
    complaints,
    kill: (worker) => {
      // Whoever dies by the signal dies after this line.
      writeLine(join(folder, "logs", "controller.jsonl"), { what: "killed", pid: worker.pid });
      worker.expected = true;
      worker.child.kill("SIGKILL");
    },
    end: async () => {
      writeFileSync(stop, "");
      for (const { child } of workers.values()) child.kill("SIGCONT");
      await Promise.all([...workers.values()].map(({ ended }) => ended));
    },
  };
}

/** Kills and stops workers, evenly over the operations of the storm. */
async function blow(options: StormOptions, crew: Crew, folder: string, archive: Archive): Promise<{ longStops: number }> {
  const random = randomOf(options.seed);
  const log = join(folder, "logs", "controller.jsonl");
  const acks = join(folder, "acks");
  writeFileSync(acks, "", { flag: "a" });
  const done = { kills: 0, stops: 0, longStops: 0 };
  let progress = { operations: 0, at: stormClock() };
  const pick = (from: readonly Worker[]): Worker | undefined => from[Math.floor(random() * from.length)];
  const due = (already: number, wanted: number, operations: number): boolean => already < (wanted * operations) / options.operations;

  for (;;) {
    archive.collect();
    const operations = statSync(acks).size;
    if (operations > progress.operations) progress = { operations, at: stormClock() };
    if (operations >= options.operations && done.kills >= options.kills && done.stops >= options.stops) return done;
    if (stormClock() - progress.at > STALLED_MS) {
      crew.complaints.push(`no operation was acknowledged for ${STALLED_MS / 1000} s, after ${operations}`);
      return done;
    }
    const all = [...crew.workers.values()].filter((worker) => !worker.expected);
    if (due(done.kills, options.kills, operations)) {
      const victim = pick(all);
      if (victim !== undefined) {
        crew.kill(victim);
        done.kills += 1;
      }
    }
    if (due(done.stops, options.stops, operations)) {
      const victim = pick(all.filter((worker) => !worker.stopped && !worker.expected));
      if (victim !== undefined) {
        const long = random() < 0.3;
        pause(victim, long ? 3000 + random() * 4000 : 50 + random() * 500, log);
        done.stops += 1;
        if (long) done.longStops += 1;
      }
    }
    // The pace of the faults: the worker it meets is anywhere in its work by then.
    await delay(5 + random() * 20);
  }
}

function pause(worker: Worker, ms: number, log: string): void {
  writeLine(log, { what: "stopped", pid: worker.pid });
  worker.stopped = true;
  worker.child.kill("SIGSTOP");
  setTimeout(() => {
    worker.stopped = false;
    if (worker.child.kill("SIGCONT")) writeLine(log, { what: "continued", pid: worker.pid });
  }, ms).unref();
}
