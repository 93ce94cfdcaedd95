import { expect, test } from "vitest";
import { killAtPoint, resolverPoints } from "./killed-resolver.ts";

/** Its agent was started; its commit was made a merge commit, which no branch has yet. All other moments are in test/faults. */
const HERE = [/^started\.node-/, /^done\.spawn\.git-commit-tree$/];

test("a run killed while an agent resolves its conflict, and its garbage collected, is continued to its end", async () => {
  const points = await resolverPoints();
  for (const pattern of HERE) {
    const point = points.findLast(({ name }) => pattern.test(name)) ?? expect.unreachable(`no ${pattern}`);
    expect(await killAtPoint(point)).toEqual({ broken: [], killed: true });
  }
}, 300_000);
