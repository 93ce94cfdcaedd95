import { oneLine } from "./processes.mjs";

// A case: what graftwork takes against one or more yardsticks, in interleaved rounds, so that a busy machine slows all
// sides. What counts is the median of the ratios within a round.
export const HEAD =
  "| case | against | rounds | CPU ms | its CPU ms | ratio | wall ms | its wall ms | ratio | limit | |\n|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|\n";

/**
 * `rival`s: `{ name, run, limit: { cpu?, wall? } }`; `ours` and `run` do one round's work and answer the sample
 * `{ cpu, wall }`. The first round warms up and is not counted. A failure ends the case: its reason is the line.
 */
export async function compare(output, { name, rounds, ours, rivals }) {
  const sides = [ours, ...rivals.map((rival) => rival.run)];
  const samples = sides.map(() => []);
  output.progress(name);
  try {
    for (let round = 0; round <= rounds; round++) {
      // The side that goes first finds the caches as the other one left them: take turns.
      const order = sides.map((_, side) => (side + round) % sides.length);
      for (const side of order) {
        const sample = await sides[side](round);
        if (round > 0) samples[side].push(sample);
      }
    }
  } catch (error) {
    output.line(`| ${name} | aborted: ${oneLine(error.message)} | | | | | | | | | |\n`);
    return;
  }
  for (const [index, rival] of rivals.entries()) output.line(lineOf(name, rival, samples[0], samples[index + 1]));
}

function lineOf(name, { name: rival, limit = {} }, ours, theirs) {
  const figures = ["cpu", "wall"].map((what) => {
    const ratio = median(ours.map((sample, round) => sample[what] / theirs[round][what]));
    return { what, ratio, cells: [shown(ours, what), shown(theirs, what), ratio.toFixed(2)] };
  });
  const limits = figures.filter(({ what }) => limit[what] !== undefined);
  const missed = limits.filter(({ what, ratio }) => ratio > limit[what]).map(({ what }) => named(what));
  const verdict = limits.length === 0 ? "" : missed.length === 0 ? "held" : `**missed** (${missed.join(", ")})`;
  return `| ${[name, rival, ours.length, ...figures.flatMap(({ cells }) => cells), limitText(limits, limit), verdict].join(" | ")} |\n`;
}

function limitText(limits, limit) {
  if (limits.length === 0) return "–";
  return limits.map(({ what }) => `${named(what)} ≤ ${limit[what]}`).join(", ");
}

const named = (what) => (what === "cpu" ? "CPU" : what);

function shown(samples, what) {
  const value = median(samples.map((sample) => sample[what]));
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
