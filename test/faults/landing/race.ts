import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { atEnd, bundled, git, hermeticEnv, type TempRepo, tempRepo } from "../../fixtures/index.ts";
import { randomOf } from "../../storm/random.ts";
import type { RaceOrder } from "./race-worker.ts";

export type RaceReport = { landed: number; ends: Record<string, number>; userCommits: number; saves: number; violations: string[] };

const BRANCHES = 10;
const path = (n: number): string => `many/${n}.txt`;

/** Some coordinators with ten branches, of which one must never land, and a person at work in the checkout of the target. */
export async function race(seed: number): Promise<RaceReport> {
  const random = randomOf(seed);
  const repo = raceRepo();
  const log = join(repo.parent, "log");
  writeFileSync(log, "");
  const branches = Array.from({ length: BRANCHES }, (_, n) => ({ branch: `auto/${n}`, commit: repo.git("rev-parse", `auto/${n}`) }));
  const crew = seed % 2 === 0 ? 2 : 4;
  const program = await bundled(new URL("race-worker.ts", import.meta.url));
  const violations: string[] = [];
  let running = crew;
  for (let n = 0; n < crew; n++) {
    const mine = branches.filter((_, index) => index % crew === n);
    const half = Math.ceil(mine.length / 2);
    const order: RaceOrder = { repo: repo.dir, run: `race-${n}`, trains: [mine.slice(0, half), mine.slice(half)], log };
    const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ["ignore", "ignore", "pipe"], env: hermeticEnv() });
    atEnd(() => void child.kill("SIGKILL"));
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("close", (code) => {
      running -= 1;
      if (code !== 0) violations.push(`coordinator ${n} ended with ${code}: ${said.slice(0, 600)}`);
    });
  }
  const person = await workBeside(repo, random, () => running > 0);
  return judge(repo, log, person, crew, violations);
}

/** Ten branches from the first commit, each with a file of its own and a change of one that the person saves, too. */
function raceRepo(): TempRepo {
  const one = (n: number): Record<string, string> => ({ [path(n)]: `branch ${n}\n`, [`own-${n}.txt`]: `${n}\n` });
  return tempRepo({
    files: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [path(n), `first ${n}\n`])),
    branches: Object.fromEntries(Array.from({ length: BRANCHES }, (_, n) => [`auto/${n}`, n === 7 ? { "sum.txt": "bad\n" } : one(n)])),
  });
}

type Person = { commits: string[]; saves: Map<string, string>; count: number };

async function workBeside(repo: TempRepo, random: () => number, goesOn: () => boolean): Promise<Person> {
  const person: Person = { commits: [], saves: new Map(), count: 0 };
  // A git of the person's may meet the index's lock: then it is refused, as beside any other git.
  const try_ = (...args: readonly string[]): boolean => spawnSync("git", args, { cwd: repo.dir, env: hermeticEnv() }).status === 0;
  const identity = ["-c", "user.name=person", "-c", "user.email=p@example.invalid"];
  const commit = (...args: readonly string[]): void => {
    if (try_(...identity, "commit", "-q", "-m", "by the person", ...args)) person.commits.push(git(repo.dir, "rev-parse", "HEAD"));
  };
  while (goesOn()) {
    const dice = random();
    if (dice < 0.05) commit("--allow-empty");
    else if (dice < 0.15) try_("gc", "-q", "--prune=now");
    else {
      const name = dice < 0.6 ? `many/${10 + Math.floor(random() * 10)}.txt` : path(Math.floor(random() * 20));
      const text = `saved ${++person.count}\n`;
      writeFileSync(join(repo.dir, name), text);
      person.saves.set(name, text);
      await delay(random() * 20);
      if (dice > 0.7) commit("--", name);
    }
    await delay(random() * 500);
  }
  return person;
}

function judge(repo: TempRepo, log: string, person: Person, crew: number, violations: string[]): RaceReport {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  const verified = new Map(
    lines.filter((line) => line.startsWith("verified ")).map((line) => line.split(" ").slice(1) as [string, string]),
  );
  const moves = readFileSync(join(repo.dir, ".git/logs/refs/heads/main"), "utf8").trimEnd().split("\n");
  const landings = moves.filter((line) => line.includes("\tgraftwork: land"));
  for (const line of landings) {
    const [, to = ""] = line.split(" ");
    if (verified.get(to) !== git(repo.dir, "rev-parse", `${to}^{tree}`)) violations.push(`main was moved to ${to}, which nobody verified`);
    if (git(repo.dir, "ls-tree", "--name-only", to, "sum.txt") !== "") violations.push(`${to} has the work that is red`);
  }
  const reached = new Set(git(repo.dir, "rev-list", "main").split("\n"));
  for (const commit of person.commits) if (!reached.has(commit)) violations.push(`the person's commit ${commit} is gone`);
  for (const line of landings) if (!reached.has(line.split(" ")[1] ?? "")) violations.push(`the landing ${line} is gone`);
  for (const [name, text] of person.saves)
    if (readFileSync(join(repo.dir, name), "utf8") !== text) violations.push(`the save ${text.trim()} of ${name} is gone`);
  if (existsSync(join(repo.dir, ".git/index.lock"))) violations.push("index.lock was left");
  const status = git(repo.dir, "status", "--porcelain").split("\n").filter(Boolean);
  const odd = status.filter((line) => !person.saves.has(line.slice(3)) || !line.startsWith(" M"));
  violations.push(...odd.map((line) => `the checkout has ${line}`));
  const ends = lines.filter((line) => line.startsWith("ended ")).map((line) => line.split(/[ :]/)[1] ?? "");
  if (ends.length !== 2 * crew) violations.push(`${ends.length} ends of ${2 * crew} trains`);
  const count = (kind: string): number => ends.filter((end) => end === kind).length;
  return {
    landed: landings.length,
    ends: Object.fromEntries([...new Set(ends)].map((kind) => [kind, count(kind)])),
    userCommits: person.commits.length,
    saves: person.count,
    violations,
  };
}

/** Several races, with what came of them in one line. */
export async function races(rounds: number, seed: number): Promise<{ violations: string[]; summary: string }> {
  const violations: string[] = [];
  const sums = { landed: 0, userCommits: 0, saves: 0 };
  const ends: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const report = await race(seed + round);
    violations.push(...report.violations.map((line) => `seed ${seed + round}: ${line}`));
    for (const key of ["landed", "userCommits", "saves"] as const) sums[key] += report[key];
    for (const [kind, count] of Object.entries(report.ends)) ends[kind] = (ends[kind] ?? 0) + count;
  }
  const summary = `${rounds} races: ${sums.landed} landings, ${sums.userCommits} commits and ${sums.saves} saves of a person, trains ended ${JSON.stringify(ends)}, ${violations.length} violations`;
  return { violations, summary };
}
