// Makes a checkout ready: dependencies as the lock file says, and dist as the sources say. Plain Node, so that it
// works in a fresh clone; quick where nothing is to be done; safe to run twice at once.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text) => process.stderr.write(`setup: ${text}\n`);

/** Installs where needed, and builds where needed unless told not to. */
export async function ensureReady({ build = true } = {}) {
  checkNode();
  if (!installed()) await locked(async () => installed() || (await install()));
  if (build) await ensureBuilt();
}

/** Bundles dist again where the sources have changed since. */
export async function ensureBuilt() {
  const { bundle, isBuilt } = await import("./build.mjs");
  if (!isBuilt()) await locked(async () => isBuilt() || (await bundle()));
}

function locked(work) {
  return withLock(join(root, ".setup.lock"), work, () => say("waiting for another set-up of this checkout"));
}

/** True where every package of the lock file that this machine must have is there in that very version. */
export function installed() {
  const wanted = readPackages(join(root, "package-lock.json"));
  const present = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    return found === undefined ? entry.optional === true : found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

async function install() {
  say("installing dependencies (once)");
  // dev dependencies even where NODE_ENV is production: the build is one of them.
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund"];
  const npm = process.env.npm_execpath;
  const own = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  await run(own ? process.execPath : "npm", own ? [npm, ...args] : args);
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} ended with ${code}`))));
  });
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(`Node ${process.versions.node} is too old: graftwork needs 20.19 or newer.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureReady().catch((error) => {
    say(error.message);
    process.exitCode = 1;
  });
}
