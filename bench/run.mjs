// `npm run bench [-- ROW]`: what graftwork costs, as ratios against a floor or a peer taken in the same run. Rounds are
// interleaved, so that a busy machine slows both sides; the figure to quote is the median of the paired ratios.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureReady, root } from "../scripts/setup.mjs";

const ROUNDS = 15;
await ensureReady();

const rows = { "start-up": startUp };
const wanted = process.argv.slice(2);
process.stdout.write(
  `node ${process.version}, ${spawnSync("git", ["--version"], { encoding: "utf8" }).stdout.trim()}, ${cpus().length} cores, ${ROUNDS} rounds\n\n`,
);
process.stdout.write("| row | measured | floor | ratio (paired, median) |\n|---|--:|--:|--:|\n");
for (const [name, row] of Object.entries(rows)) if (wanted.length === 0 || wanted.includes(name)) row(name);

/** CPU of a whole `pool-manager status` on an idle pool against a bare Node. */
function startUp(name) {
  const folder = mkdtempSync(join(tmpdir(), "graftwork-bench-"));
  const repo = join(folder, "repo");
  try {
    for (const args of [
      ["init", "-q", "-b", "main", repo],
      ["-C", repo, "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-q", "--allow-empty", "-m", "first"],
    ])
      spawnSync("git", args);
    const pool = (...args) => [process.execPath, [join(root, "bin", "pool-manager.js"), ...args], repo];
    cpuOf(...pool("init", "8"));
    const pairs = Array.from({ length: ROUNDS }, () => [cpuOf(...pool("status")), cpuOf(process.execPath, ["-e", "0"], repo)]);
    report(name, pairs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of CPU of a program and all it waited for, as the system counts it for this process's children. */
function cpuOf(program, args, cwd) {
  const before = childrenCpu();
  const { status } = spawnSync(program, args, { cwd, stdio: "ignore" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
  return childrenCpu() - before;
}

/** Linux counts in ticks of 10 ms: medians over the rounds are what can be quoted. */
function childrenCpu() {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function report(name, pairs) {
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const [ours, floor] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])));
  const ratio = median(pairs.map(([a, b]) => a / b));
  process.stdout.write(
    `| ${name} | ${ours.toFixed(0)} ms CPU | ${floor.toFixed(0)} ms CPU | ${ratio.toFixed(2)} (+${(ours - floor).toFixed(0)} ms) |\n`,
  );
}
