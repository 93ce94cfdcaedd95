import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CliResult, type FakeAgent, fakeAgent, runCli, type Step, type TempRepo, tempRepo } from "../fixtures/index.ts";

export const ready = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;
/** What a resolver makes of the two. */
export const BOTH = "one\nleft\nright\nthree\n";

export type Stage = { repo: TempRepo; agent: FakeAgent; plan: string; run: () => Promise<CliResult> };

/** Two tasks that change the same line; `right` comes second, and from its second attempt on is a resolver's. */
export function stage(
  resolver: readonly (readonly Step[])[],
  merge: object = {},
  sides: { left?: readonly Step[]; right?: readonly Step[] } = {},
  agents: object = {},
): Stage {
  const agent = fakeAgent({
    left: [[...(sides.left ?? [{ write: "list.txt", text: "one\nleft\nthree\n" }]), ...ready]],
    right: [[...(sides.right ?? [{ write: "list.txt", text: "one\nright\nthree\n" }]), ...ready], ...resolver],
  });
  const repo = tempRepo({
    files: {
      "list.txt": "one\ntwo\nthree\n",
      "old.txt": "old\n",
      ".claude/auto-context.yaml": JSON.stringify({
        agents: { default: "fake", fake: { command: agent.command }, ...agents },
        merge: { on_conflict: ["resolvers", "agent", "person"], ...merge },
      }),
    },
  });
  const plan = join(repo.parent, "plan.json");
  const tasks = [
    { id: "left", title: "The left one", description: "Put left in the middle." },
    { id: "right", title: "The right one", description: "Put right in the middle." },
  ];
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
  return { repo, agent, plan, run: () => runCli(["run", plan, "--yes"], { cwd: repo.dir }) };
}
