// `npm run bench -- [pool | merge | peers | a case…]`: what graftwork costs, as ratios taken in one run, and what its peers do with
// the same jobs. docs/performance.md says how to read it.
//   --rounds N             rounds of each case (9)
//   --sizes 200,5000       files of the repositories (200,5000,40000)
//   --tools git,branchlet  of the peers, only these
//   --record               puts the tables of `pool`, `merge` and `peers` into docs/performance.md
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureReady, root } from "../scripts/setup.mjs";
import { removeAtSignals } from "./harness/folders.mjs";
import { machine } from "./harness/machine.mjs";
import { record, tableOutput } from "./harness/output.mjs";
import { oneLine } from "./harness/processes.mjs";

const POOL = {
  "start-up": async () => (await import("./pool/status.mjs")).startUp,
  acquire: async () => (await import("./pool/acquire.mjs")).acquire,
  release: async () => (await import("./pool/release.mjs")).release,
  cleanup: async () => (await import("./pool/cleanup.mjs")).cleanup,
  burst: async () => (await import("./pool/burst.mjs")).burst,
  library: async () => (await import("./pool/library.mjs")).library,
  status: async () => (await import("./pool/status.mjs")).status,
  conflicts: async () => (await import("./pool/conflicts.mjs")).conflicts,
};

const MERGE = {
  merges: async () => (await import("./merge/merges.mjs")).merges,
  train: async () => (await import("./merge/train.mjs")).train,
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
    options: {
      rounds: { type: "string", default: "9" },
      sizes: { type: "string", default: "200,5000,40000" },
      tools: { type: "string" },
      record: { type: "boolean", default: false },
    },
  });
  const [rounds] = counts("--rounds", values.rounds);
  const sizes = counts("--sizes", values.sizes);
  const { pool, merge, withPeers } = wanted(positionals);
  // Half a table would take the other half's place.
  if (values.record && (isPart(pool, POOL) || isPart(merge, MERGE) || values.tools !== undefined))
    throw new Error("--record takes whole tables: `pool`, `merge`, `peers`");
  removeAtSignals();
  await ensureReady();
  const parts = {
    pool: pool.length === 0 ? undefined : (output) => runCases(output, POOL, pool, { rounds, sizes }),
    merge: merge.length === 0 ? undefined : (output) => runCases(output, MERGE, merge, { rounds, sizes }),
    peers: withPeers ? async (output) => (await import("./peers/peers.mjs")).peers(output, values.tools?.split(",")) : undefined,
  };
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) continue;
    const output = tableOutput();
    output.line(`${await machine()}\n\n`);
    await part(output);
    if (values.record) record(join(root, "docs", "performance.md"), name, output.text());
  }
}

function isPart(names, all) {
  return names.length > 0 && names.length < Object.keys(all).length;
}

async function runCases(output, known, cases, options) {
  output.head();
  for (const name of cases) {
    const row = await known[name]();
    await row({ output, ...options }).catch((error) => output.line(`| ${name} | aborted: ${oneLine(error.message)} | | | | | | | | | |\n`));
  }
}

/** No word means the pool: peers are fetched from the registry, so they are asked for. */
function wanted(words) {
  const known = [...Object.keys(POOL), ...Object.keys(MERGE), "pool", "merge", "peers"];
  const unknown = words.filter((word) => !known.includes(word));
  if (unknown.length > 0) throw new Error(`no case ${unknown.join(", ")}; there are ${known.join(", ")}`);
  const withPeers = words.includes("peers");
  const chosen = (group, cases) => {
    const all = words.includes(group) || (group === "pool" && words.length === 0);
    return Object.keys(cases).filter((name) => all || words.includes(name));
  };
  return { withPeers, pool: chosen("pool", POOL), merge: chosen("merge", MERGE) };
}

function counts(option, text) {
  const numbers = text.split(",").map(Number);
  if (numbers.every((number) => Number.isInteger(number) && number > 0)) return numbers;
  throw new Error(`${option} takes whole numbers above 0, not ${JSON.stringify(text)}`);
}
