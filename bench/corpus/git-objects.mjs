import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MOST_BYTES = 1 << 30;

/**
 * Reads a repository (bare or not) and never writes to it: what git makes while it merges goes to a folder of its own,
 * and objects that are missing are not fetched.
 */
export function openReadOnly(repository) {
  const quarantine = mkdtempSync(join(tmpdir(), "graftwork-corpus-"));
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_NO_REPLACE_OBJECTS: "1" };
  const run = (args, input = "") =>
    spawnSync("git", ["-c", "protocol.allow=never", "-C", repository, ...args], { env, input, maxBuffer: MOST_BYTES });
  const asked = run(["rev-parse", "--git-path", "objects"]);
  if (asked.status !== 0) throw new Error(`${repository} is no git repository: ${asked.stderr}`);
  const objects = run(["rev-parse", "--path-format=absolute", "--git-path", "objects"]).stdout.toString().trim();
  Object.assign(env, { GIT_OBJECT_DIRECTORY: quarantine, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects });
  return { run, blobs: (names) => blobs(run, names), close: () => rmSync(quarantine, { recursive: true, force: true }) };
}

/** The contents of these objects by name, in order; undefined where there is none or it is no blob. */
function blobs(run, names) {
  const { stdout } = run(["cat-file", "--batch"], `${names.join("\n")}\n`);
  let at = 0;
  return names.map(() => {
    const end = stdout.indexOf(10, at);
    const head = stdout.toString("utf8", at, end).split(" ");
    at = end + 1;
    const size = Number(head.at(-1));
    if (head.length < 3 || head.at(-1) === "missing" || !Number.isInteger(size)) return undefined;
    const content = stdout.subarray(at, at + size);
    at += size + 1;
    return head.at(-2) === "blob" ? content : undefined;
  });
}

/** Rows of a table with tabs, its first line being the names of the columns. */
export function readRows(path) {
  const [head = "", ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  const names = head.split("\t");
  return lines.map((line) => Object.fromEntries(line.split("\t").map((value, n) => [names[n], value])));
}
