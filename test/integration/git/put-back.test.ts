import { expect, test } from "vitest";
import { lostValues, openRepository, PUT_BACK, updateRefs } from "../../../src/git/index.ts";
import { commitFiles, hermeticEnv, tempRepo } from "../../fixtures/index.ts";

test("what a branch held until graftwork put it back is not lost; what a user took off is", async () => {
  const repo = tempRepo();
  const [first, second] = [repo.git("rev-parse", "HEAD"), commitFiles(repo.dir, { b: "b" })];
  repo.git("checkout", "-q", "--detach");
  repo.git("branch", "target", first);
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const move = (set: string, old: string, reason: string) => updateRefs(repository, [{ ref: "refs/heads/target", set, old }], reason);
  await move(second, first, "land run");
  await move(first, second, `${PUT_BACK}: checked out meanwhile`);
  expect(await lostValues(repository, "target", first, [])).toEqual([]);
  repo.git("branch", "-f", "target", second);
  repo.git("branch", "-f", "target", first);
  expect((await lostValues(repository, "target", first, [])).map(({ oid }) => oid)).toContain(second);
});
