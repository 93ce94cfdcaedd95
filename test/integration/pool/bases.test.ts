import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acquireSlot, existingStore, initPool } from "../../../src/pool/index.ts";
import { lab } from "./lab.ts";

test("HEAD names a commit that is not there: REF_UNKNOWN, and no slot is touched", async () => {
  const all = await lab();
  await initPool(all.context, { size: 2 });
  const ref = join(all.repo.dir, ".git/refs/heads", all.repo.git("branch", "--show-current"));
  writeFileSync(ref, `${"1234567890".repeat(4)}\n`);
  await expect(acquireSlot(all.context, { task: "t" })).rejects.toMatchObject({ code: "REF_UNKNOWN" });
  expect(
    existingStore(all.context.repository)
      .read()
      .state.slots.map(({ status }) => status),
  ).toEqual(["idle", "idle"]);
});

test("a base that is a branch's full name is what git says it is", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const main = all.repo.git("branch", "--show-current");
  const evil = all.repo.git("commit-tree", "-m", "evil", "HEAD^{tree}");
  writeFileSync(join(all.repo.dir, ".git/refs/heads", `${main}^{commit}`), `${evil}\n`);
  const { lease } = await acquireSlot(all.context, { task: "t", base: `refs/heads/${main}` });
  expect(lease.base).toBe(all.repo.git("rev-parse", `refs/heads/${main}`));
});

test("a base that is too long for a file's name is one that nobody knows", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  await expect(acquireSlot(all.context, { task: "u", base: `refs/heads/${"a".repeat(300)}` })).rejects.toMatchObject({
    code: "REF_UNKNOWN",
  });
});
