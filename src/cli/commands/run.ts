import type { ContinueOptions, ResolveOptions, RunOptions } from "../run-options.ts";
import type { Register } from "../verb.ts";

const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** The main job: run a plan, continue it, decide what it could not. */
export const registerRun: Register = (parent, shell, run) => {
  const verbs = () => import("../run-verbs.ts");
  const resolving = () => import("../resolve-verbs.ts");

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
    .option("--take-over", "the run's owner is gone for good (it ran on another machine)")
    .option("--replan", "take the changes of the plan file, or refuse them by name")
    .action((options: ContinueOptions) => run(async () => (await verbs()).continueVerb(shell, options)));
  parent
    .command("resolve")
    .description("decide what a run could not: a conflict, a blocked task")
    .argument("<task>")
    .option("--run <id>")
    .option("--open", "lay the conflict out in a free slot, to be resolved there")
    .option("--ours <path>", "take the target's version of a file", collect)
    .option("--theirs <path>", "take the task's version of a file", collect)
    .option("--take-file <path=file>", "take a file's content", collect)
    .option("--done", "make the merge from what is in that slot, or from the choices and edited files")
    .option("--skip", "go on without the task; its branch is kept")
    .option("--retry-agent", "let its agent try again")
    .action((task: string, options: ResolveOptions) => run(async () => (await resolving()).resolve(shell, task, options)));
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
    .action((task: string, options: { run?: string }) => run(async () => (await resolving()).retry(shell, task, options.run)));
};
