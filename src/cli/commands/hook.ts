import type { Register } from "../verb.ts";

/** Events of a coding client, each a JSON object on standard input. */
export const registerHook: Register = (parent, shell, run) => {
  const hook = parent.command("hook").description("what a coding client calls on its events");
  const verbs = () => import("../hook-verbs.ts");
  hook
    .command("worktree-create")
    .description("WorktreeCreate: lease a slot; prints its path alone")
    .action(() => run(async () => (await verbs()).worktreeCreate(shell, process.stdin)));
  const ends = { "worktree-remove": "worktree", "subagent-stop": "agent", "session-end": "session" } as const;
  for (const [event, what] of Object.entries(ends)) {
    hook
      .command(event)
      .description(`release the slot that the ${what} worked in; nothing where that is none of its own`)
      .action(() => run(async () => (await verbs()).worktreeDone(shell, what, process.stdin)));
  }
};
