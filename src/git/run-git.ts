import { cleanText, GraftworkError, hideCredentials, tailLines } from "../domain/index.ts";
import { type CommandEnd, childEnvironment, runCommand } from "../subprocess/index.ts";
import { pathText } from "./path-text.ts";

/** What every git call of ours shares. */
export type GitContext = {
  /** Our own process's environment; only what `gitEnvironment` lets through reaches git. */
  parentEnv: Readonly<NodeJS.ProcessEnv>;
  /** Called with each argv, its exit code and time, for the run's log. */
  onCommand?: (argv: readonly string[], code: number | null, durationMs: number) => void;
  /** Variables that send new objects elsewhere, over those of any call: see `withQuarantine`. */
  quarantine?: Readonly<Record<string, string>>;
};

export type GitCall = {
  cwd: string;
  args: readonly string[];
  /** Explicit git directory; never found through a folder an agent can write. */
  gitDir?: string;
  workTree?: string;
  indexFile?: string;
  env?: Readonly<Record<string, string>>;
  stdin?: string | Uint8Array;
  /** Exit codes that are answers; anything else throws GIT_FAILED. Default only 0. */
  answers?: readonly number[];
  /** Ends git after this time, in milliseconds. Its answer then says `late`. */
  timeoutMs?: number;
  /** Takes git's answer in chunks, of any size. The returned answer is then empty. */
  onAnswer?: (chunk: Buffer) => void;
};

/** `late`: git was ended because of `timeoutMs`. */
export type GitAnswer = { code: number; stdout: Buffer; text: string; stderr: string; late: boolean };

/** Set for every call: nothing that an agent planted in the repository's configuration runs in ours. */
const PINS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.splitIndex=false",
  "core.untrackedCache=false",
  "core.editor=:",
  "core.pager=cat",
  "core.quotePath=false",
  "core.sshCommand=false",
  "credential.helper=",
  "commit.gpgSign=false",
  "tag.gpgSign=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "branch.autoSetupMerge=false",
  "submodule.recurse=false",
  "protocol.ext.allow=never",
  "advice.detachedHead=false",
  "advice.graftFileDeprecated=false",
].flatMap((pin) => ["-c", pin]);

/** Selects which configuration files the user means; everything else named GIT_* is dropped. */
const KEPT = [
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
];

const FIXED = {
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  // A replace ref planted by an agent would show us other content than git stores (review-core 1.9).
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: "/dev/null",
  GIT_NO_LAZY_FETCH: "1",
  GIT_EDITOR: ":",
  GIT_PAGER: "cat",
};

const LARGEST_ANSWER = 256 * 2 ** 20;
const SAID_AT_MOST = 64 * 2 ** 10;

/**
 * Runs one git command with a hardened environment and argv. Throws GIT_MISSING where there is no git, GIT_FAILED
 * (git's own last lines in `because`) for an exit code that is no answer.
 */
export async function runGit(context: GitContext, call: GitCall): Promise<GitAnswer> {
  const { onAnswer } = call;
  const env = childEnvironment(context.parentEnv, KEPT, {
    ...FIXED,
    ...(call.gitDir === undefined ? {} : { GIT_DIR: call.gitDir }),
    ...(call.workTree === undefined ? {} : { GIT_WORK_TREE: call.workTree }),
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...call.env,
    ...context.quarantine,
  });
  const end = await runCommand({
    argv: ["git", ...PINS, ...call.args],
    cwd: call.cwd,
    env,
    keepBytes: onAnswer === undefined ? LARGEST_ANSWER : SAID_AT_MOST,
    ...(onAnswer !== undefined && { onOutput: (chunk, stream) => (stream === "stdout" ? onAnswer(chunk) : undefined) }),
    ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
    ...(call.timeoutMs === undefined ? {} : { timeoutMs: call.timeoutMs }),
  });
  context.onCommand?.(["git", ...call.args], end.code, end.durationMs);
  if (end.notStarted !== null) throw notStarted(end.notStarted, call.cwd);
  const code = end.code ?? -1;
  const late = end.ended === "timeout";
  if ((!late && !(call.answers ?? [0]).includes(code)) || (end.overflow && onAnswer === undefined)) throw failed(call, end);
  return { code, stdout: end.stdout, text: end.stdout.toString("utf8"), stderr: end.stderr.toString("utf8"), late };
}

function notStarted(reason: string, cwd: string): GraftworkError {
  if (reason === "ENOENT") {
    return new GraftworkError("GIT_MISSING", {
      message: "git could not be started.",
      because: `no program named git is on the PATH, or the folder ${cwd} is gone.`,
      try: "install git 2.38 or newer and run the same command again.",
    });
  }
  return new GraftworkError("GIT_FAILED", {
    message: "git could not be started.",
    because: `the system says ${reason}.`,
    try: "run `git --version` to see what is wrong.",
  });
}

function failed(call: GitCall, end: CommandEnd): GraftworkError {
  const said = cleanText(hideCredentials(tailLines(end.stderr.toString("utf8"), 6)));
  const how = end.signal === null ? `exit code ${end.code}` : `ended by ${end.signal}`;
  return new GraftworkError("GIT_FAILED", {
    message: `git ${call.args.find((arg, index) => !arg.startsWith("-") && call.args[index - 1] !== "-c") ?? ""} failed (${how}) in ${call.cwd}.`,
    because: end.overflow ? "it answered with more than 256 MiB." : said === "" ? "git said nothing." : said,
    try: "read git's words above; `pool-manager health` shows what of graftwork's own needs repair.",
    details: { args: [...call.args], code: end.code, signal: end.signal },
  });
}

/** NUL-terminated paths, also such as are no UTF-8 (see `pathText`). */
export function splitPaths({ stdout }: GitAnswer): string[] {
  return splitNul(pathText(stdout));
}

/** Splits NUL-terminated output. */
export function splitNul(text: string): string[] {
  return text === "" ? [] : text.replace(/\0$/, "").split("\0");
}
