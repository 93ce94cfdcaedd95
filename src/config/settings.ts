import {
  check,
  checkedText,
  checkedTextMap,
  commandMap,
  duration,
  flag,
  type Kind,
  listOf,
  oneOf,
  size,
  text,
  whole,
  wordOrCommands,
} from "./setting-kinds.ts";

/** One key of the file outside `agents`: its type, its default and the variable that overrides it. */
export type Setting<T> = { kind: Kind<T>; fallback: T; env: string | null; about: string };

/** Fixes the type of a setting by its kind, so that a default of the wrong type does not compile. */
function setting<T>(kind: Kind<T>, fallback: NoInfer<T>, about: string, env: string | null = null): Setting<T> {
  return { kind, fallback, about, env };
}

const PREFIX = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const branchPrefix = checkedText((value) =>
  value.split("/").every((part) => PREFIX.test(part) && !part.includes("..") && !part.toLowerCase().endsWith(".lock")) && value.length <= 60
    ? undefined
    : "must be a beginning of branch names such as auto or bot/auto: letters, digits, dots, dashes, underscores and slashes",
);
const insideGlobProblem = (value: string): string | undefined => {
  if (value.startsWith("/") || value.split("/").includes("..")) return "must be relative to the repository and stay inside it";
  return value.includes("\\") ? "must be written with `/`, without backslashes" : undefined;
};
const insideGlob = checkedText(insideGlobProblem);
const variableName = checkedText((value) =>
  /^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(value) ? undefined : "must be the name of a variable, or its beginning and `*`",
);
const ownVariable = checkedTextMap((name) => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "is no name of a variable";
  return name.startsWith("GRAFTWORK_") ? "is graftwork's own" : undefined;
});
const anchoredFolder = checkedText((value) => {
  if (!/^(?:\/[^/]+)+\/$/.test(value))
    return "must be a folder as seen from the top of the repository, with `/` at both ends: /node_modules/";
  if (/[*?[\]\\]/.test(value)) return "must name one folder, without a pattern";
  return value.split("/").some((part) => part === "." || part === ".." || part === ".git")
    ? "must stay in the slot, outside of .git"
    : undefined;
});

/** Every key outside `agents` that this version knows. */
// biome-ignore format: a table
export const SETTINGS = {
  "parallelization.enabled": setting(flag, true, "Agents side by side; false: one at a time.", "AUTO_PARALLEL_ENABLED"),
  "parallelization.min_tasks": setting(whole(1, 20_000), 3, "Fewer independent tasks than this run one at a time.", "AUTO_PARALLEL_MIN_TASKS"),
  "parallelization.max_agents": setting(whole(1, 1000), 5, "Never more live agents than this.", "AUTO_PARALLEL_MAX_AGENTS"),
  "parallelization.auto_cleanup": setting(flag, true, "Release slots and delete merged branches after landing.", "AUTO_PARALLEL_AUTO_CLEANUP"),
  "parallelization.retry_on_failure": setting(whole(0, 100), 3, "Attempts after a failed one.", "AUTO_PARALLEL_RETRY_ON_FAILURE"),
  "pool.size": setting(whole(1, 1000), 8, "Slots that `pool init` makes.", "POOL_SIZE"),
  "pool.dir": setting<string | null>(text, null, "Folder of the slots; default: ../<repository>.pool.", "POOL_DIR"),
  "pool.branch_prefix": setting(branchPrefix, "auto", "Branches are called <prefix>/<task>."),
  "pool.copy": setting(listOf(insideGlob), [".claude/project-profile.yaml"], "Globs of untracked files that every slot gets a copy of."),
  "pool.setup": setting(wordOrCommands(["auto", "none"]), "auto", "auto: install dependencies by lockfile when a slot is made; or a list of commands."),
  "pool.keep": setting(listOf(anchoredFolder), ["/node_modules/"], "Folders that git ignores and that stay in a slot from one task to the next."),
  "pool.ports": setting(whole(0, 40), 10, "Ports that each lease has for itself; 0: none."),
  "pool.env": setting(ownVariable, {}, "Variables of agents, set-up commands and checks."),
  "pool.ttl": setting(duration, 24 * 3_600_000, "A lease that was made from a shell ends after so long."),
  "pool.trash_max": setting(size, 5 * 2 ** 30, "What the pool's trash may hold."),
  "pool.rescue_max_file": setting(size, 50 * 2 ** 20, "Larger unsaved files are moved aside, not put into git."),
  "pool.rescue_max": setting(size, 2 ** 30, "The same for all files of a slot together."),
  "agents.default": setting(text, "claude", "The agent of tasks that name none."),
  "schedule": setting(oneOf(["groups", "eager"]), "groups", "groups: one group after the other; eager: a task starts once what it depends on has landed."),
  "qa.checks": setting(listOf(check), [], "Checks of every task; default: from the project profile or the package scripts of the base."),
  "qa.allow_scripts": setting(listOf(text), [], "Packages whose install scripts may run."),
  "qa.env": setting(listOf(variableName), [], "Variables that checks may see besides the common ones."),
  "qa.slots": setting(whole(1, 1000), 1, "Verifications side by side; default: the number of cores."),
  "merge.on_conflict": setting(listOf(oneOf(["resolvers", "rerun", "agent", "person"])), ["resolvers", "rerun", "agent", "person"], "What is tried for a conflict, in order."),
  "merge.agent": setting<string | null>(text, null, "The agent that resolves conflicts; default: agents.default."),
  "merge.level": setting(oneOf(["off", "safe", "assist"]), "safe", "How much the resolvers close without a person."),
  "merge.strategy": setting(oneOf(["merge", "squash"]), "merge", "A merge commit a task, or one commit of its whole work without its history."),
  "merge.union": setting(listOf(insideGlob), [], "Globs of files in which what both sides added at one place is kept, ours first."),
  "merge.generated": setting(commandMap(insideGlobProblem), {}, "By the glob of generated files, the command that makes them anew where they collide."),
  "run.confirm": setting(flag, true, "Ask before a run begins."),
} as const;

export type SettingKey = keyof typeof SETTINGS;
export type SettingValues = { [K in SettingKey]: (typeof SETTINGS)[K]["fallback"] };
export const SETTING_KEYS = Object.keys(SETTINGS) as SettingKey[];

/** Keys of the documentation that this version does not have: refused, so that nobody relies on them. */
export const NOT_YET: readonly string[] = [
  ...["install", "protected", "policy", "agent", "network", "filters"].map((key) => `qa.${key}`),
  ...["message", "sign"].map((key) => `merge.${key}`),
  "session.groups_per_session",
  "budget",
  "sample",
  "e2e",
];
