import type { Register } from "../verb.ts";

type ReleaseOptions = { token?: string; discard?: boolean; force?: boolean };

/** `graftwork pool …` = `pool-manager …`. */
export const registerPool: Register = (parent, shell, run) => {
  const pool = parent.command("pool").description("slots: git worktrees made ahead of need");
  const verbs = () => import("../pool-verbs.ts");

  pool
    .command("init")
    .description("make the slots, or bring the pool to another size")
    .argument("[size]", "number of slots")
    .option("--base <ref>", "commit that the slots start at")
    .action((size: string | undefined, options: { base?: string }) => run(async () => (await verbs()).init(shell, size, options.base)));
  pool
    .command("acquire")
    .description("lease a slot to a task; prints slot|path|branch")
    .argument("<task_id>")
    .argument("[base]", "commit that the task's branch starts at")
    .option("--wait <seconds>", "wait for a slot, in order of arrival")
    .option("--ttl <duration>", "how long the lease lives without a sign of use (90s, 30m, 24h)")
    .action((task: string, base: string | undefined, options: { wait?: string; ttl?: string }) =>
      run(async () => (await verbs()).acquire(shell, task, base, options)),
    );
  pool
    .command("release")
    .description("end a lease: unsaved work is rescued, the branch is kept")
    .argument("<wt_id|task_id>")
    .option("--token <n>", "the lease's token, as proof that it is yours")
    .option("--discard", "throw unsaved work in this slot away")
    .option("--force", "also where a live run holds the slot")
    .action((name: string, options: ReleaseOptions) => run(async () => (await verbs()).release(shell, name, options)));
  pool
    .command("status")
    .description("the slots and who holds them")
    .action(() => run(async () => (await verbs()).status(shell)));
  pool
    .command("merge")
    .description("verify and merge the busy slots' branches; slots stay leased")
    .argument("[branch]", "the target branch (default: the one checked out)")
    .option("--plan <file>", "a plan that says which of the slots' tasks depend on which")
    .option("--no-verify", "merge without any check; said loudly")
    .option("--protected", "by hand, let in secrets and changes to what agents are told, what CI runs and how packages are installed")
    .action((branch: string | undefined, options: { plan?: string; verify: boolean; protected?: boolean }) =>
      run(async () => (await import("../merge-verbs.ts")).poolMerge(shell, branch, options)),
    );
  pool
    .command("cleanup")
    .description("release and remove all slots; unmerged branches and rescues are kept")
    .option("--force", "also while a live run holds a slot")
    .action((options: { force?: boolean }) => run(async () => (await verbs()).cleanup(shell, options.force === true)));
  pool
    .command("reset")
    .description("cleanup, then init")
    .argument("[size]")
    .option("--force", "also while a live run holds a slot")
    .action((size: string | undefined, options: { force?: boolean }) =>
      run(async () => (await verbs()).reset(shell, size, options.force === true)),
    );
  pool
    .command("health")
    .description("compare state, git, folders and processes")
    .option("--fix", "repair what can be repaired without losing work")
    .action((options: { fix?: boolean }) => run(async () => (await verbs()).health(shell, options.fix === true)));

  const rescue = pool.command("rescue").description("work that was saved before a slot was cleared");
  rescue
    .command("list")
    .description("all saved work, oldest first")
    .action(() => run(async () => (await verbs()).rescueList(shell)));
  rescue
    .command("show")
    .description("what one rescue holds")
    .argument("<id>")
    .action((id: string) => run(async () => (await verbs()).rescueShow(shell, id)));
  rescue
    .command("prune")
    .description("delete rescues and trash older than 30 days")
    .action(() => run(async () => (await verbs()).rescuePrune(shell)));
  rescue
    .command("restore")
    .description("write a rescue's files into a new folder")
    .argument("<id>")
    .option("--to <folder>", "the folder; must be new or empty")
    .action((id: string, options: { to?: string }) => run(async () => (await verbs()).rescueRestore(shell, id, options.to)));
};
