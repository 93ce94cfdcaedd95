import { expect, test } from "vitest";
import { runRig } from "./run-rig.ts";

const writeList = (word: string): string => `printf 'one\\n${word}\\nthree\\n' > list; commit ${word}`;
const files = { list: "one\ntwo\nthree\n" };

test.each([
  ["exits", "exit 3"],
  ["does nothing", "true"],
  ["is rejected until its retries are spent", "echo bad > bad; commit bad"],
])("a rerun whose agent %s does not fail the task: its approved commit goes on to a person", async (_, again) => {
  const rig = await runRig({
    files,
    agents: { left: writeList("left"), "right.1": writeList("right"), right: again },
    settings: { merge: { on_conflict: ["resolvers", "rerun", "person"] } },
    plan: { verification: ["test ! -f bad"] },
    tasks: [
      { id: "left", retries: 0 },
      { id: "right", retries: 0 },
    ],
  });
  expect((await rig.run()).exit).toBe(5);
  const right = rig.task("right");
  expect(right).toMatchObject({
    status: "conflict",
    tried: ["rerun"],
    packet: expect.stringContaining("right"),
    lastError: expect.stringContaining("done again, it failed"),
  });
  expect(rig.repo.git("show", `${right.commit}:list`)).toBe("one\nright\nthree");
  expect(rig.starts("right")).toBe(2);
});
