// `npm run check`: everything that must hold before a commit, the quickest answers first. Stops at the first failure.
import { spawnSync } from "node:child_process";
import { ensureReady, root } from "./setup.mjs";

const STEPS = [
  ["format", "biome", "check"],
  ["lint", "oxlint", "--type-aware", "--deny-warnings"],
  ["types", "tsc", "-p", "tsconfig.json"],
  ["knip", "knip"],
  ["build", process.execPath, "scripts/build.mjs"],
  ["package", "publint", "--strict"],
  ["tests", process.execPath, "scripts/test.mjs"],
];

await ensureReady({ build: false });
for (const [name, command, ...args] of STEPS) {
  const from = Date.now();
  process.stdout.write(`\n# ${name}\n`);
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${root}/node_modules/.bin:${process.env.PATH}` },
  });
  process.stderr.write(`# ${name}: ${status === 0 ? "good" : "failed"} after ${((Date.now() - from) / 1000).toFixed(1)} s\n`);
  if (status !== 0) {
    process.exitCode = 1;
    break;
  }
}
