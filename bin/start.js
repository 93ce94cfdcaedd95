// Kept plain: an old Node must be able to read this file and say what is wrong.
const { existsSync } = require("node:fs");
const { basename, join } = require("node:path");

const OLDEST = [20, 19];
const DIST = join(__dirname, "..", "dist");
/** Called often, and found in a bundle of half the size; what each of them needs of it is kept compiled apart. */
const OFTEN = ["acquire", "release", "status"];

/** Runs a program of graftwork: checks the machine, loads the built command line, leaves its exit code to Node. */
function start(program) {
  const argv = process.argv.slice(2);
  const words = program === "pool-manager" ? ["pool", ...argv] : argv;
  const use = words[0] === "pool" && OFTEN.includes(words[1]) ? words[1] : "other";
  const bundle = join(DIST, use === "other" ? "cli.cjs" : "pool.cjs");
  const refusal = refuse(bundle);
  if (refusal !== undefined) {
    process.stderr.write(`error[${refusal[0]}]: ${refusal[1]}\n  because: ${refusal[2]}\n  try: ${refusal[3]}\n`);
    process.exitCode = 2;
    return;
  }
  const { loadBundle } = require("./load-bundle.js");
  const { exports, keepCompiled } = loadBundle(bundle, use);
  void exports.main(argv, program).then((code) => {
    // Never process.exit: what was written to a pipe must reach its reader first.
    process.exitCode ||= code;
    keepCompiled();
  });
}

function refuse(bundle) {
  if (process.platform === "win32") {
    return [
      "PLATFORM_UNSUPPORTED",
      "graftwork does not run on Windows itself.",
      "it relies on process groups, signals and links as POSIX has them.",
      "run it inside WSL (https://learn.microsoft.com/windows/wsl).",
    ];
  }
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return [
      "PLATFORM_UNSUPPORTED",
      `Node ${process.versions.node} is too old.`,
      "graftwork needs Node 20.19 or newer.",
      "install a newer Node and run the same command again.",
    ];
  }
  if (!existsSync(bundle)) {
    return [
      "USAGE",
      "This checkout of graftwork has not been built yet.",
      `dist/${basename(bundle)} does not exist.`,
      "`npm ci && npm run build` in the checkout, then the same command again.",
    ];
  }
  return undefined;
}

module.exports = { start };
