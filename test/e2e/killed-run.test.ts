import { describe, expect, test } from "vitest";
import { runCli } from "../fixtures/index.ts";
import { EXPECTED, filesOf, killAndContinue, MOMENTS, stage } from "./killed-run.ts";

/** The rest of the moments are in test/faults. */
const HERE = ["the train is verified"];

describe("kill -9 of a run, a garbage collection, continue", () => {
  test("undisturbed, the run ends with all five tasks' work", async () => {
    const { repo, plan, agent } = stage();
    const end = await runCli(["run", plan, "--yes"], { cwd: repo.dir });
    expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: plain, rejected, left, right, last") });
    expect(filesOf(repo)).toEqual(EXPECTED);
    expect(agent.starts()).toHaveLength(7);
  });

  test.each(HERE)("when %s: the same files, no approved work done again, nothing left behind", async (moment) => {
    expect((await killAndContinue(MOMENTS[moment] ?? expect.unreachable())).files).toEqual(EXPECTED);
  });
});
