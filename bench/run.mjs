// `npm run bench -- [pool | peers | a case…] [--rounds N] [--sizes 200,5000] [--tools git,branchlet]`: what graftwork costs, as ratios taken in
// one run, and what its peers do with the same jobs. docs/performance.md says how to read it.
import { parseArgs } from "node:util";
import { ensureReady } from "../scripts/setup.mjs";
import { tableOutput } from "./harness/compare.mjs";
import { removeAtSignals } from "./harness/folders.mjs";
import { machine } from "./harness/machine.mjs";
import { oneLine } from "./harness/processes.mjs";

const POOL = {
  "start-up": async () => (await import("./pool/status.mjs")).startUp,
  acquire: async () => (await import("./pool/acquire.mjs")).acquire,
  release: async () => (await import("./pool/release.mjs")).release,
  cleanup: async () => (await import("./pool/cleanup.mjs")).cleanup,
  burst: async () => (await import("./pool/burst.mjs")).burst,
  library: async () => (await import("./pool/library.mjs")).library,
  status: async () => (await import("./pool/status.mjs")).status,
};

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: "string", default: "9" }, sizes: { type: "string", default: "200,5000,40000" }, tools: { type: "string" } },
  });
  const [rounds] = counts("--rounds", values.rounds);
  const sizes = counts("--sizes", values.sizes);
  const names = wanted(positionals);
  removeAtSignals();
  await ensureReady();
  const output = tableOutput();
  process.stdout.write(`${await machine()}\n\n`);
  const cases = names.filter((name) => name in POOL);
  if (cases.length > 0) output.head();
  for (const name of cases) {
    const row = await POOL[name]();
    await row({ output, rounds, sizes }).catch((error) =>
      output.line(`| ${name} | aborted: ${oneLine(error.message)} | | | | | | | | | |\n`),
    );
  }
  if (names.includes("peers")) {
    const { peers } = await import("./peers/peers.mjs");
    await peers(output, values.tools?.split(","));
  }
}

/** No word means the pool: peers are fetched from the registry, so they are asked for. */
function wanted(words) {
  const known = [...Object.keys(POOL), "pool", "peers"];
  const unknown = words.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new Error(`no case ${unknown.join(", ")}; there are ${known.join(", ")}`);
  const own = words.filter((word) => word in POOL);
  if (words.includes("peers")) return [...own, "peers"];
  return own.length > 0 ? own : Object.keys(POOL);
}

function counts(option, text) {
  const numbers = text.split(",").map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers;
  throw new Error(`${option} takes whole numbers above 0, not ${JSON.stringify(text)}`);
}
