import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireDiskSpace, sizeOnDisk } from "../../../src/pool/disk-space.ts";
import { existingStore, initPool } from "../../../src/pool/index.ts";
import { atEnd, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

const MIB = 2 ** 20;

test("a disk with too little on it is refused before anything is made", async (context) => {
  const dir = tempFolder("small-disk");
  const sh = (command: string): number | null => spawnSync("sh", ["-c", `${command} "$0"`, dir]).status;
  if (sh("mount -t tmpfs -o size=64m tmpfs") !== 0) context.skip("no file system can be mounted here");
  atEnd(() => void sh("umount --lazy"));
  const { repo, context: pool } = await lab({}, { dir });
  await expect(initPool(pool, { size: 2 })).rejects.toMatchObject({
    code: "DISK_LOW",
    exitCode: 3,
    message: expect.stringMatching(/6\d MiB, and 1 GiB are needed/),
  });
  expect(existsSync(join(dir, "wt-1"))).toBe(false);
  expect(repo.git("worktree", "list").split("\n")).toHaveLength(1);
  expect(existingStore(pool.repository).read().state.slots).toEqual([]);
});

test("the refusal names what takes the space, the largest first; without one nothing is walked through", async () => {
  const { context, slot } = await lab();
  await initPool(context, { size: 2 });
  const { state } = existingStore(context.repository).read();
  expect(state.slots.some(({ sizeBytes = 0 }) => sizeBytes > 0 && sizeBytes < MIB)).toBe(true);
  const sized = { ...state, slots: state.slots.map((one) => (one.id === "wt-1" ? { ...one, sizeBytes: 700 * MIB } : one)) };
  writeFiles(state.dir, { "trash/a/big": "x".repeat(3 * MIB) });
  writeFiles(slot("wt-2"), { "one/big": "x".repeat(MIB) });
  const unmeasured = { ...sized, slots: sized.slots.map((one) => (one.id === "wt-2" ? { ...one, sizeBytes: undefined } : one)) };
  expect(() => requireDiskSpace(context, unmeasured, 0, 1399 * MIB)).toThrow(
    expect.objectContaining({
      code: "DISK_LOW",
      because: expect.stringMatching(/^the pool takes: wt-1 700 MiB, trash \(\S+\) 3 MiB, wt-2 1 MiB/),
      try: expect.stringContaining("pool-manager init 1"),
    }),
  );
  expect(requireDiskSpace(context, unmeasured, 0, 1400 * MIB)).toBeUndefined();
  expect(requireDiskSpace(context, { dir: "/nowhere/at/all", slots: [] }, 1)).toBeUndefined();
});

test("sizes are those on the disk, and no link is followed", () => {
  const path = tempFolder();
  writeFiles(path, { "a/b": "x".repeat(10_000) });
  const size = sizeOnDisk(path);
  expect(size).toBeGreaterThanOrEqual(10_000);
  symlinkSync("/usr", join(path, "usr"));
  expect(sizeOnDisk(path) - size).toBeLessThan(10_000);
  expect(sizeOnDisk(join(path, "gone"))).toBe(0);
});
