import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireSlot, initPool, listRescues, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { commitFiles, git, tempFolder } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";
import { makeProject, utf16 } from "./unsaved-work.ts";

async function converting(): Promise<Lab & { path: string }> {
  const all = await lab({}, { setup: "none" });
  makeProject(all);
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  return { ...all, path };
}

describe("files that the user's own settings write otherwise than git stores them", () => {
  test("are in the slot as in the user's checkout, and are nobody's work", async () => {
    const { context, path } = await converting();
    expect(readFileSync(join(path, "plain.rot"), "utf8")).toBe("Uryyb\n");
    expect(readFileSync(join(path, "story.utf16"))).toEqual(utf16("once\n"));
    expect((await releaseSlot(context, { name: "t" })).rescue).toBeUndefined();
    await acquireSlot(context, { task: "u" });
    expect(await listRescues(context)).toEqual([]);
  });

  test("are stored as the user's git stores them when an agent commits them", async () => {
    const { context, repo, path } = await converting();
    commitFiles(path, { "plain.rot": "Changed\n" });
    expect((await releaseSlot(context, { name: "t" })).rescue).toBeUndefined();
    expect(repo.git("cat-file", "blob", "auto/t:plain.rot")).toBe("Punatrq");
    expect(git(path, "status", "--porcelain", "--ignored")).toBe("");
  });

  test("are never put into git unfiltered: the filter may be one that encrypts", async () => {
    const { context, repo, path } = await converting();
    writeFileSync(join(path, "plain.rot"), "a secret in plain text\n");
    writeFileSync(join(path, "new.rot"), "another secret\n");
    const { rescue } = await releaseSlot(context, { name: "t" });
    expect(rescue?.trashed).toHaveLength(2);
    const blobs = repo.git("cat-file", "--batch-all-objects", "--batch-check").match(/^\w+ blob/gm) ?? [];
    for (const line of blobs) expect(repo.git("cat-file", "blob", line.split(" ")[0] ?? "")).not.toContain("secret");
    const to = join(tempFolder("restored"), "out");
    await restoreRescue(context, rescue?.id ?? "", to, "/");
    expect(readFileSync(join(to, "plain.rot"), "utf8")).toBe("a secret in plain text\n");
    expect(readFileSync(join(to, "new.rot"), "utf8")).toBe("another secret\n");
  });
});
