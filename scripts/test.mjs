// `npm test`: sets the checkout up, runs vitest with the arguments given, and prints the closing line last of all.
// `--full` runs the suites that need a browser, tmux or agent clients instead, `--faults` the long ones with kills,
// `--storm` fifty processes on one pool, `--races` coordinators and a person on one target.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureReady, root } from "./setup.mjs";

const SUITES = ["full", "faults", "storm", "races"];
const args = process.argv.slice(2).filter((argument) => !SUITES.some((name) => argument === `--${name}`));
const suite = SUITES.find((name) => process.argv.includes(`--${name}`));
const folder = mkdtempSync(join(tmpdir(), "graftwork-test-"));
const closingFile = join(folder, "closing");

try {
  await ensureReady({ build: false });
  process.exitCode = await vitest();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
// Nothing was counted where vitest did not come to its end; that is a failure too.
const closing = existsSync(closingFile) ? readFileSync(closingFile, "utf8") : "0 passed, 1 failed";
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${closing}\n`);

function vitest() {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, GRAFTWORK_TEST_CLOSING: closingFile, ...(suite === undefined ? {} : { GRAFTWORK_TEST_SUITE: suite }) },
    });
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
