import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const BEAT_MS = 2_000;
const SILENT_MS = 30_000;

/**
 * Runs `work` while no other process holds the lock file `path`. The holder touches the file while it lives; a lock
 * of a dead process, or one untouched for half a minute, is taken over.
 */
export async function withLock(path, work, onWait) {
  const mine = `${process.pid} ${hostname()} ${process.hrtime.bigint()}`;
  let said = false;
  while (!take(path, mine)) {
    if (!said) onWait();
    said = true;
    evictDead(path);
    await wait(150);
  }
  const beat = setInterval(() => quietly(() => utimesSync(path, new Date(), new Date())), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if (quietly(() => readFileSync(path, "utf8")) === mine) rmSync(path, { force: true });
  }
}

function take(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function evictDead(path) {
  const seen = quietly(() => readFileSync(path, "utf8"));
  const touched = quietly(() => statSync(path).mtimeMs);
  if (seen === undefined || touched === undefined) return;
  const [pid, host] = seen.split(" ");
  const dead = host === hostname() && !isAlive(Number(pid));
  if (!dead && Date.now() - touched < SILENT_MS) return;
  // Between the look and the move another waiter may have taken the lock: then its lock is put back.
  const aside = `${path}.${process.pid}`;
  if (quietly(() => (renameSync(path, aside), true)) !== true) return;
  if (readFileSync(aside, "utf8") !== seen) quietly(() => linkSync(aside, path));
  rmSync(aside, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function quietly(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
