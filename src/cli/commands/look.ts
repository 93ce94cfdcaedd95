import { Option } from "commander";
import type { MergeOptions } from "../merge-verbs.ts";
import type { Register } from "../verb.ts";

/** Verbs that look at runs, plans and configuration, and merging by hand. */
export const registerLook: Register = (parent, shell, run) => {
  const runs = parent.command("runs").description("the runs of this repository");
  runs
    .command("list")
    .description("all runs, newest first")
    .action(() => run(async () => (await import("../look-verbs.ts")).runs(shell)));
  runs
    .command("rm")
    .description("delete a finished run's journal and logs; branches and rescues stay")
    .argument("<id>")
    .action((id: string) => run(async () => (await import("../look-verbs.ts")).removeRun(shell, id)));
  parent
    .command("status")
    .description("where the live or newest run stands")
    .option("--run <id>")
    .action((options: { run?: string }) => run(async () => (await import("../look-verbs.ts")).status(shell, options.run)));
  parent
    .command("logs")
    .description("what a task's agent printed in its last attempt")
    .argument("<task>")
    .option("--run <id>")
    .option("--attempt <n>")
    .option("--raw", "without the mark `| ` before each line")
    .action((task: string, options: { run?: string; attempt?: string; raw?: boolean }) =>
      run(async () => (await import("../look-verbs.ts")).logs(shell, task, options)),
    );

  const plan = parent.command("plan").description("look at a plan without running it");
  plan
    .command("check")
    .description("find everything that is wrong with a plan")
    .argument("<plan>")
    .action((path: string) => run(async () => (await import("../plan-verbs.ts")).check(shell, path)));
  plan
    .command("show")
    .description("how it would run: mode, groups, agents; changes nothing")
    .argument("<plan>")
    .action((path: string) => run(async () => (await import("../plan-verbs.ts")).show(shell, path)));
  parent
    .command("config")
    .description("the effective configuration and where each value comes from")
    .action(() => run(async () => (await import("../plan-verbs.ts")).config(shell)));
  parent
    .command("schema")
    .description("the JSON Schema of a plan or of the configuration, for editors")
    .argument("<which>", "plan or config")
    .action((which: string) => run(async () => (await import("../plan-verbs.ts")).schema(shell, which)));

  parent
    .command("merge")
    .description("land approved tasks of a run and busy slots' branches, or undo a landing")
    .argument("[tasks...]", "only these tasks or slots (default: all that are approved or busy)")
    .option("--into <branch>", "the target branch (default: the one checked out)")
    .option("--plan <file>", "a plan that says which of the slots' tasks depend on which")
    .option("--no-verify", "merge without any check; said loudly")
    .option("--protected", "by hand, let in secrets and changes to what agents are told, what CI runs and how packages are installed")
    .option("--preview", "order, predicted conflicts and checks; changes nothing")
    .option("--dry-run", "merge in memory and say what would land; verifies nothing, changes nothing")
    .option("--undo [run]", "put the target back where it was before a run (default: before the newest landing)")
    .addOption(new Option("--strategy <name>", "a merge commit a branch, or one commit of its whole work").choices(["merge", "squash"]))
    .action((tasks: string[], options: MergeOptions) => run(async () => (await import("../merge-verbs.ts")).merge(shell, tasks, options)));
  const conflicts = parent.command("conflicts").description("which branches would conflict, while they are worked on");
  conflicts
    .command("list")
    .description("pairs of open branches that would conflict with each other or with the target, unsaved work included")
    .option("--into <branch>", "the target branch (default: the one checked out)")
    .action((options: { into?: string }) => run(async () => (await import("../conflict-verbs.ts")).listConflicts(shell, options.into)));
  conflicts
    .command("check")
    .description("who else changes a file: exit 0 nobody, 3 somebody")
    .argument("<file>", "as seen from the current folder; it need not exist yet")
    .option("--into <branch>", "the target branch (default: the one checked out)")
    .action((file: string, options: { into?: string }) =>
      run(async () => (await import("../conflict-verbs.ts")).checkFile(shell, file, options.into)),
    );
  parent
    .command("merge-file")
    .description("merge one conflicted file by the resolvers' rules; exit 1 where they prove nothing")
    .option("--level <level>", "off, safe or assist", "safe")
    .argument("<base>", "the file that both sides started from; /dev/null where there was none")
    .argument("<ours>")
    .argument("<theirs>")
    .argument("<path>", "its path in the repository: says what kind of file it is")
    .action((base: string, ours: string, theirs: string, path: string, options: { level: string }) =>
      run(async () => (await import("../merge-file-verb.ts")).mergeFile(shell, { base, ours, theirs, path }, options.level)),
    );
};
