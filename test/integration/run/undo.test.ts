import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { keepHandLanding } from "../../../src/run/hand-landings.ts";
import { newestLanding, undo } from "../../../src/run/index.ts";
import { commitFiles } from "../../fixtures/index.ts";
import { runRig, writes } from "./run-rig.ts";

const agents = { a: writes("a"), b: writes("b") };

describe("an undo", () => {
  test("without a name takes back what was merged last, whichever target it is on", async () => {
    const rig = await runRig({ agents, tasks: ["a"] });
    await rig.run();
    const from = rig.repo.git("rev-parse", "main");
    const text = rig.repo.git("cat-file", "commit", "main").replace(/^(committer .*>) \d+/m, `$1 ${Math.ceil(Date.now() / 1_000) + 60}`);
    writeFileSync(join(rig.repo.parent, "later"), `${text}\n`);
    const later = rig.repo.git("hash-object", "-t", "commit", "-w", join(rig.repo.parent, "later"));
    rig.repo.git("branch", "other", later);
    keepHandLanding(rig.repository, { target: "other", from, to: later });
    expect(await newestLanding(rig.repository)).toMatchObject({ kind: "hand", target: "other" });
  });

  test("without a name takes the newest landing back, whichever run it is of", async () => {
    const rig = await runRig({
      files: { "a.txt": "x\n" },
      agents: { one: "echo one >> a.txt; commit one", b: writes("b") },
      tasks: ["one"],
    });
    writeFileSync(join(rig.repo.dir, "a.txt"), "unsaved\n");
    expect((await rig.run()).exit).toBe(5);
    rig.repo.git("checkout", "-q", "a.txt");
    expect((await rig.goOn()).exit).toBe(0);
    const top = rig.repo.git("rev-parse", "main");
    const undone = await undo(rig.repository, await newestLanding(rig.repository), () => new Date());
    expect(undone).toMatchObject({ run: rig.newest().run, from: top });
    expect(rig.newest().facts).toMatchObject({ undone: true });
    await expect(rig.goOn()).rejects.toMatchObject({ code: "NOTHING_TO_CONTINUE" });
    await expect(newestLanding(rig.repository)).rejects.toMatchObject({ code: "UNDO_REFUSED" });
  });

  test("of a run whose landing was reset and done again takes the newer one back", async () => {
    const rig = await runRig({ agents, tasks: ["a", { id: "b", depends_on: ["a"] }] });
    await rig.run({ mode: "one-group" });
    const before = rig.repo.git("rev-parse", "HEAD~1");
    rig.repo.git("reset", "-q", "--hard", "HEAD~1");
    await rig.goOn();
    await rig.decide("a", "retry");
    expect((await rig.goOn()).exit).toBe(0);
    await undo(rig.repository, await newestLanding(rig.repository), () => new Date());
    expect(rig.repo.git("rev-parse", "main")).toBe(before);
  });

  test("names the commits in its way, and the command that takes the work back", async () => {
    const rig = await runRig({ agents, tasks: ["a"] });
    await rig.run();
    commitFiles(rig.repo.dir, { own: "mine\n" }, "my own work");
    const landing = await newestLanding(rig.repository);
    const refused = await undo(rig.repository, landing, () => new Date()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "UNDO_REFUSED", because: expect.stringContaining("my own work") });
    const [, command = ""] = /`git (revert [^`]+)`/.exec((refused as { try: string }).try) ?? [];
    rig.repo.git(...command.split(" "), "--no-edit");
    expect([rig.has("a.txt"), rig.has("own")]).toEqual([false, true]);
  });
});
