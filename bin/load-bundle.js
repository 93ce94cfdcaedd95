// Loads the bundle with what V8 compiled of it the last time: compiling is 24 of the 45 ms that a start costs over a
// bare Node. Node's own compile cache does this from 22 on; 20 has only the script's.
const { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { dirname, isAbsolute, join } = require("node:path");
const { Script } = require("node:vm");
const { crc32 } = require("node:zlib");

/** The bundle is one function expression; its first line is a comment with the digest of what it was made from. */
const DIGEST = /^\/\/ ([0-9a-f]{64})\n/;

/** `use` names the cache: what one verb needs is kept apart, so that none loads more than it needs. */
function loadBundle(path, use) {
  const source = readFileSync(path, "latin1");
  const digest = DIGEST.exec(source)?.[1];
  // Beside the bundle where that can be written, else in the user's own cache: both hold no more than the code itself.
  const caches = [dirname(path), join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "graftwork")]
    .filter(isAbsolute)
    .map((folder) => join(folder, `cli-${use}-${process.version}-${process.arch}.${digest?.slice(0, 16)}.cache`));
  const cachedData = digest === undefined ? undefined : readFirst(caches);
  const script = new Script(source, { filename: path, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, path, dirname(path));
  const known = cachedData !== undefined && script.cachedDataRejected !== true;
  return { exports: module.exports, keepCompiled: () => known || digest === undefined || keep(caches, script) };
}

function readFirst(paths) {
  for (const path of paths) {
    try {
      const stat = statSync(path);
      // A pipe would be waited for; what another user wrote is not run.
      if (!stat.isFile() || (stat.uid !== process.getuid() && stat.uid !== 0)) continue;
      const bytes = readFileSync(path);
      const data = bytes.subarray(4);
      // V8 does not look itself, and ends the process over a damaged one.
      if (bytes.length > 4 && bytes.readUInt32LE(0) === crc32(data)) return data;
    } catch {
      // Not there yet.
    }
  }
  return undefined;
}

/** A start without it is slower and nothing else, so nothing is said where it cannot be written. */
function keep(paths, script) {
  const code = script.createCachedData();
  const head = Buffer.alloc(4);
  head.writeUInt32LE(crc32(code));
  const data = Buffer.concat([head, code]);
  for (const path of paths) {
    const temporary = `${path}.${process.pid}`;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, data, { mode: 0o600 });
      renameSync(temporary, path);
      return;
    } catch {
      rmSync(temporary, { force: true });
    }
  }
}

module.exports = { loadBundle };
