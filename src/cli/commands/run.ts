import type { Register } from "../verb.ts";

export type RunOptions = { task?: string[]; into?: string; merge: boolean; oneGroup?: boolean; yes?: boolean };
export type ContinueOptions = { run?: string; oneGroup?: boolean; all?: boolean; replan?: boolean };
export type ResolveOptions = {
  run?: string;
  open?: boolean;
  ours?: string[];
  theirs?: string[];
  takeFile?: string[];
  done?: boolean;
  skip?: boolean;
  retryAgent?: boolean;
};

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** The main job: run a plan, continue it, decide what it could not. */
export const registerRun: Register = (parent, shell, run) => {
  const verbs = () => import("../run-verbs.ts");

  parent
    .command("run")
    .description("run a plan: agents in slots, QA, merge; merged and verified work, or why not")
    .argument("[plan]", "plan file (YAML or JSON), or a folder of subtask-*.md")
    .option("--task <title>", "a task instead of a plan; may be repeated", collect)
    .option("--into <branch>", "the target branch (default: the plan's base, else the branch checked out)")
    .option("--no-merge", "stop at approved branches")
    .option("--one-group", "stop after one parallel group")
    .option("--yes", "don't ask before the first run in a repository")
    .action((plan: string | undefined, options: RunOptions) => run(async () => (await verbs()).run(shell, plan, options)));
  parent
    .command("continue")
    .description("go on where a run was interrupted, or with its next group")
    .option("--run <id>", "a certain run (default: the newest unfinished one)")
    .option("--one-group", "only the next group")
    .option("--all", "to the plan's end")
    .option("--replan", "take changes of the plan file to tasks that have not begun")
    .action((options: ContinueOptions) => run(async () => (await verbs()).continueVerb(shell, options)));
  parent
    .command("resolve")
    .description("decide what a run could not: a conflict, a blocked task")
    .argument("<task>")
    .option("--run <id>")
    .option("--open", "show where the conflicted files are; opens them in $VISUAL or $EDITOR on a terminal")
    .option("--ours <path>", "take the target's version of a file", collect)
    .option("--theirs <path>", "take the task's version of a file", collect)
    .option("--take-file <path=file>", "take a file's content", collect)
    .option("--done", "make the merge from the choices and edited files")
    .option("--skip", "go on without the task; its branch is kept")
    .option("--retry-agent", "let its agent try again")
    .action((task: string, options: ResolveOptions) => run(async () => (await verbs()).resolve(shell, task, options)));
  parent
    .command("stop")
    .description("end the live run gently, or with --now at once")
    .option("--now")
    .action((options: { now?: boolean }) => run(async () => (await verbs()).stop(shell, options.now === true)));
  parent
    .command("retry")
    .description("let a failed task be tried again; `graftwork continue` starts it")
    .argument("<task>")
    .option("--run <id>")
    .action((task: string, options: { run?: string }) => run(async () => (await verbs()).retry(shell, task, options.run)));

  const runs = parent.command("runs").description("the runs of this repository");
  runs
    .command("list", { isDefault: true })
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
    .action((task: string, options: { run?: string; attempt?: string }) =>
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
    .description("merge busy slots' branches by hand, or undo a run's landings")
    .option("--into <branch>")
    .option("--undo [run]", "put the target back where it was before a run")
    .action((options: { into?: string; undo?: string | true }) =>
      run(async () => (await import("../merge-verbs.ts")).merge(shell, options)),
    );
};
