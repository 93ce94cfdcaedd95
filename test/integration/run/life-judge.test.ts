import { describe, expect, test } from "vitest";
import { type Judge, judgeOf } from "../../faults/run-lives/life-judge.ts";
import { type LifePlan, randomPlan, rollOf } from "../../faults/run-lives/life-plan.ts";
import { type LifeStage, stageOf } from "../../faults/run-lives/life-stage.ts";

const own = { rewrites: null, needs: null, shuns: null, efforts: ["good"], retries: null } as const;
const LIFE: LifePlan = {
  ...randomPlan(rollOf(1), 2),
  tasks: [
    { ...own, id: "t0", dependsOn: [] },
    { ...own, id: "t1", dependsOn: ["t0"] },
    { ...own, id: "t2", dependsOn: [], shuns: "t0" },
  ],
  breaks: [],
};

async function staged(): Promise<LifeStage & { judge: Judge; land: (...ids: readonly string[]) => Promise<string> }> {
  const stage = await stageOf(LIFE);
  const { repo, approved } = stage;
  // As the run does: whatever moves main outside of the user's acts counts as a landing.
  const land = async (...ids: readonly string[]): Promise<string> => {
    const commit = repo.commit(Object.fromEntries(ids.map((id) => [`${id}.txt`, `${id}\n`])));
    approved.add(commit);
    return commit;
  };
  return { ...stage, judge: judgeOf(stage), land };
}

describe("the judge of random lives", () => {
  test("finds no fault in landings that are approved, green and in order, beside a user's commits", async () => {
    const { repo, judge, land } = await staged();
    await land("t0");
    judge.byUser(() => repo.commit({ "user.txt": "u\n" }));
    await land("t1");
    judge.look();
    expect(judge.landings()).toBe(2);
    expect(judge.faults).toEqual([]);
  });

  test("finds a landing whose tree nobody approved", async () => {
    const { repo, judge } = await staged();
    repo.commit({ "t0.txt": "t0\n" });
    judge.look();
    expect(judge.faults).toEqual([expect.stringContaining("never approved")]);
  });

  test("finds a task that lands without what it depends on", async () => {
    const { judge, land } = await staged();
    await land("t1");
    judge.look();
    expect(judge.faults).toEqual([expect.stringContaining("t1 landed without t0")]);
  });

  test("finds a tree that breaks the check of a task that landed before", async () => {
    const { judge, land } = await staged();
    await land("t2");
    await land("t0");
    judge.look();
    expect(judge.faults).toEqual([expect.stringContaining("t2 shuns t0")]);
  });

  test("finds a commit and a content that the user had taken off main", async () => {
    const { repo, judge, land, approved } = await staged();
    const taken = await land("t0");
    judge.byUser(() => repo.git("reset", "-q", "--hard", "HEAD~1"));
    repo.git("merge", "-q", "--no-ff", "-m", "land r", taken);
    approved.add(repo.git("rev-parse", "main"));
    judge.look();
    expect(judge.faults).toEqual([
      expect.stringContaining(`brings back commit ${taken.slice(0, 12)}`),
      expect.stringContaining("brings back t0.txt"),
    ]);
  });

  test("finds a landing that takes a user's commit off main", async () => {
    const { repo, judge, approved } = await staged();
    const before = judge.byUser(() => repo.git("rev-parse", "main"));
    judge.byUser(() => repo.commit({ "user.txt": "u\n" }));
    repo.git("reset", "-q", "--hard", before);
    approved.add(before);
    judge.look();
    expect(judge.faults).toEqual([expect.stringContaining("takes commits off main")]);
  });
});
