import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { withLock } from "../scripts/lock.mjs";
import { tempFolder } from "./fixtures/index.ts";

test("set-ups of one checkout follow each other", async () => {
  const lock = join(tempFolder(), ".setup.lock");
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await turn();
    inside--;
  };
  await Promise.all([1, 2, 3, 4].map(() => withLock(lock, work, () => undefined)));
  expect([most, existsSync(lock)]).toEqual([1, false]);
});

test("the lock of a set-up that died is taken over", async () => {
  const folder = tempFolder();
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(folder, "lock"), `${gone} ${hostname()} 1`);
  expect(
    await withLock(
      join(folder, "lock"),
      () => Promise.resolve("done"),
      () => undefined,
    ),
  ).toBe("done");
  expect(readdirSync(folder)).toEqual([]);
});
