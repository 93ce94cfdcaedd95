import { cleanLine, cleanText, EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { below, isAncestor, plainPath, type Repository, resolveCommit, userIdentity, withMergeAttributes } from "../git/index.ts";
import {
  choose,
  closeOpened,
  fileIn,
  finishInSlot,
  finishResolution,
  openedSlot,
  openInSlot,
  type Packet,
  protectedChanges,
  readPacket,
  takeBranch,
  targetGone,
} from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import { findRun, inLineWithTarget, inRun, listRuns, type RunSummary } from "../run/index.ts";
import { packetFolder, type RunFacts, type TaskFacts } from "../session/index.ts";
import { keepDecision } from "../trust/index.ts";
import { openToRun } from "./approval.ts";
import { requireFound } from "./look-verbs.ts";
import { openPoolContext } from "./pool-context.ts";
import type { ResolveOptions } from "./run-options.ts";
import type { Shell } from "./shell.ts";

export async function resolve(shell: Shell, task: string, options: ResolveOptions): Promise<ExitCode> {
  refuseContradiction(options);
  const { context: own } = await (options.open === true ? openToRun(shell) : openPoolContext(shell));
  const decides = options.done === true || options.skip === true || options.retryAgent === true;
  const { found, facts } = await foundTask(own.repository, task, { run: options.run ?? null, decides });
  const repository = await withMergeAttributes(own.repository, found.facts.base);
  // The branch is the run's, the lease the person's.
  const context: PoolContext = { ...own, repository, run: found.run };
  const folder = packetFolder(repository.root, found.run, facts.id);
  // A decision that was cut off behind its last word left the slot leased.
  if (facts.status !== "conflict") await closeOpened(context, folder);
  requireOpen(found, facts, options.skip !== true);
  if (options.skip === true || options.retryAgent === true)
    return decide(shell, context, facts.id, options.skip === true ? "skip" : "retry");
  if (facts.status !== "conflict") throw notWaiting(facts.id, facts.status);
  if (facts.packet === null) throw notWritten(facts.id);
  const packet = readPacket(folder, facts.id);
  if (packet.commits.theirs !== null && packet.commits.theirs !== facts.commit) throw notWritten(facts.id);
  const opened = openedSlot(context, packet);
  if (opened !== undefined && (options.ours ?? options.theirs ?? options.takeFile) !== undefined) throw decideThere(facts.id, opened);
  for (const path of options.ours ?? []) choose(packet, path, { kind: "ours" });
  for (const path of options.theirs ?? []) choose(packet, path, { kind: "theirs" });
  for (const text of options.takeFile ?? []) choose(packet, ...splitChoice(packet, text));
  if (options.done === true && packet.commits.theirs === null) return takeWork(shell, context, found, facts, packet);
  if (options.done === true) {
    const onto = await resolveCommit(repository, `refs/heads/${found.facts.target}`);
    if (onto === undefined) throw targetGone(found.facts.target, packet.commits.ours, "run the same command again");
    const commit = await inRun(
      { repository },
      found.record,
      async (ownership, _journal, now, emit) => {
        const [at, person] = [now.waiting?.to ?? onto, await userIdentity(repository)];
        const made =
          opened === undefined
            ? await finishResolution(repository, packet, at, person, ownership.fence)
            : await finishInSlot(context, packet, opened, at, person, ownership.fence);
        keepDecision(repository.layout, { run: found.run, task: facts.id, commit: made });
        const { ours } = packet.commits;
        const decidedOn = (await isAncestor(repository, ours, made)) ? ours : at;
        emit({ type: "resolved", task: facts.id, how: "commit", commit: made, reason: "by hand", onto: decidedOn });
        return made;
      },
      () => new Date(),
    );
    await closeOpened(context, folder);
    const said = `Resolved ${facts.id}: ${commit.slice(0, 12)} on ${packet.branch}. ${nextAfter(found, facts)}`;
    shell.answer([said, ...(await protectedText(repository, packet))].join("\n"), { task: facts.id, commit });
    return EXIT.ok;
  }
  if (options.open !== true && (options.ours ?? options.theirs ?? options.takeFile) !== undefined) {
    shell.answer(`Noted for ${facts.id}. When all files are decided: \`graftwork resolve ${facts.id} --done\`.`, {
      task: facts.id,
      packet: folder,
    });
    return EXIT.ok;
  }
  const shown = [`Packet: ${folder}/README.md`, ...(await protectedText(repository, packet))];
  if (options.open === true) {
    const { id, path, branch } = await openInSlot(context, packet);
    const files = packet.files.map((file) => below(path, file.laid_as ?? file.path));
    const what = files.length === 0 ? "It names no file; the packet says what collided. Make the merge right there" : "Edit them there";
    const next = `${what}, then \`graftwork resolve ${facts.id} --done\`.`;
    shell.answer([path, ...shown, ...listed(files), next].join("\n"), { task: facts.id, slot: id, path, branch, packet: folder, files });
    return EXIT.ok;
  }
  const files = packet.files.map((file) => fileIn(folder, "files", file.laid_as ?? file.path));
  shell.answer([...shown, ...listed(files), ...question(packet)].join("\n"), { packet: folder, files });
  return EXIT.ok;
}

function nextAfter({ facts: { merge } }: RunSummary, { id }: TaskFacts): string {
  return `\`graftwork continue\` ${merge ? "verifies and lands it" : `verifies it, then \`graftwork merge ${id}\` lands it`}.`;
}

/** Returns the question of a packet without conflicted files, and the possible answers. */
function question({ task, branch, kind, reason }: Packet): string[] {
  if (kind !== "decision" && kind !== "blocked") return [];
  const done = kind === "decision" ? "lets it in" : `takes what is committed on ${branch}`;
  return [
    cleanLine(reason),
    `\`graftwork resolve ${task} --done\` ${done}; \`--retry-agent\` has it done again; \`--skip\` goes on without it.`,
  ];
}

/** Takes the branch's commits as the task's work. They have to pass everything that an agent's work has to pass. */
async function takeWork(shell: Shell, { repository }: PoolContext, found: RunSummary, facts: TaskFacts, packet: Packet): Promise<ExitCode> {
  const commit = await inRun(
    { repository },
    found.record,
    async (ownership, _journal, _now, emit) => {
      const tip = await takeBranch(repository, packet, facts.base, ownership.fence);
      emit({ type: "resolved", task: facts.id, how: "commit", commit: tip, reason: "its branch was taken by hand" });
      return tip;
    },
    () => new Date(),
  );
  const text = `Took ${commit.slice(0, 12)} from ${packet.branch} as the work of ${facts.id}. ${nextAfter(found, facts)}`;
  shell.answer(text, { task: facts.id, commit });
  return EXIT.ok;
}

/** Returns a line for each protected change, read from git: agents could have written the packet. */
async function protectedText(repository: Repository, { commits: { base, theirs } }: Packet): Promise<string[]> {
  if (base === null || theirs === null) return [];
  const changes = await protectedChanges(repository, base, theirs);
  return changes.map(({ path, what }) => `  --done lets in a change to ${what}: ${cleanLine(path)}`);
}

const listed = (files: readonly string[]): string[] => files.map((file) => `  ${cleanText(file)}`);

/** Has the task left out, or tried again. A slot that its conflict was opened in is given back. */
async function decide(shell: Shell, context: PoolContext, task: string, how: "skip" | "retry"): Promise<ExitCode> {
  const { repository, run } = context;
  const { record } = findRun(repository, run);
  await inRun(
    { repository },
    record,
    async (_ownership, _journal, { waiting, openLanding }, emit) => {
      // What lands is one verified commit: no task can be taken out of it any more.
      const landing = [...(waiting?.tasks ?? []), ...(openLanding?.tasks ?? [])].some((one) => one.task === task);
      if (landing) throw isLanding(task, waiting?.command);
      emit({ type: "resolved", task, how, commit: null, reason: how === "skip" ? "skipped by hand" : "tried again by hand" });
    },
    () => new Date(),
  );
  await closeOpened(context, packetFolder(repository.root, run, task));
  shell.answer(
    how === "skip"
      ? `${task} is skipped; its branch is kept. \`graftwork continue\` goes on.`
      : `${task} will be tried again. \`graftwork continue\` starts it.`,
    { task, how },
  );
  return EXIT.ok;
}

export async function retry(shell: Shell, task: string, run: string | undefined): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const { repository } = context;
  const newest = run ?? listRuns(repository)[0]?.run ?? null;
  const { found, facts } = await foundTask(repository, task, { run: newest, decides: true });
  requireOpen(found, facts);
  return decide(shell, { ...context, run: found.run }, facts.id, "retry");
}

/** Finds a task and its run. If `decides` is set, it looks at the target first and records what the target holds. */
async function foundTask(repository: Repository, task: string, { run, decides }: { run: string | null; decides: boolean }) {
  const recorded = findRun(repository, run);
  const facts = requireFound(recorded, task);
  if (!decides) return { found: recorded, facts };
  const found = await inLineWithTarget(repository, recorded);
  return { found, facts: requireFound(found, task) };
}

/** One decision at a time: of two, one would be dropped without a word. Throws USAGE. */
function refuseContradiction({ open, done, skip, retryAgent, ours, theirs, takeFile }: ResolveOptions): void {
  const chosen = [ours && "--ours", theirs && "--theirs", takeFile && "--take-file"].filter(Boolean);
  const ways = [open && "--open", done && "--done", skip && "--skip", retryAgent && "--retry-agent"].filter(Boolean);
  const given = skip === true || retryAgent === true ? [...ways, ...chosen] : ways;
  if (given.length < 2) return;
  throw new GraftworkError("USAGE", {
    message: `${given.join(" and ")} were given together.`,
    because: "each of them is another decision.",
    try: "the one that is meant; `--ours`, `--theirs` and `--take-file` go with `--open` and `--done`.",
  });
}

/** Throws USAGE if the task is done, its run undone, or (`isToRun`) if what it depends on is what must be tried again. */
function requireOpen({ run, facts }: RunSummary, { id, status, skippedFor }: TaskFacts, isToRun = true): void {
  if (facts.undone)
    throw new GraftworkError("USAGE", {
      message: `${id} is not tried again: its run was undone.`,
      because: `run ${run} is at its end since its landings were taken back.`,
      try: "`graftwork run PLAN` begins a new run.",
    });
  if (status === "done") throw notWaiting(id, status);
  if (skippedFor === null || !isToRun) return;
  throw new GraftworkError("USAGE", {
    message: `${id} is not tried again by itself.`,
    because: `it was skipped since it depends on ${skippedFor}, which did not succeed.`,
    try: `\`graftwork retry ${rootOf(facts.tasks, skippedFor)}\`; ${id} comes back with it.`,
  });
}

/** The failed task behind a chain of skipped ones. */
function rootOf(tasks: RunFacts["tasks"], id: string): string {
  const next = tasks.get(id)?.skippedFor;
  return next == null ? id : rootOf(tasks, next);
}

function isLanding(task: string, command: string | null | undefined): GraftworkError {
  return new GraftworkError("USAGE", {
    message: `${task} is merged and verified already, so it is neither skipped nor tried again.`,
    because:
      command === undefined ? "its landing was cut off." : "it waits for the target's checkout, in one commit with all that is to land.",
    try: `\`graftwork continue\` lands it${command === undefined ? "" : " once nothing is in its way"}${command == null ? "" : `, or take it with: ${command}`}; then \`graftwork merge --undo\` takes it back.`,
  });
}

/** There is a packet, but it is about an earlier conflict of the task. */
function notWritten(task: string): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `The packet of ${task} is not written yet.`,
    because: "the run was cut off between the conflict and its packet.",
    try: `\`graftwork continue\` writes it; then \`graftwork resolve ${task}\` shows it.`,
    details: { task },
  });
}

function decideThere(task: string, { id, path }: { id: string; path: string }): GraftworkError {
  return new GraftworkError("USAGE", {
    message: `The conflict of ${task} is open in ${id}, so no side is chosen from here.`,
    because: "what is in that folder is taken as it is.",
    try: `edit the file in ${path}, then \`graftwork resolve ${task} --done\`.`,
  });
}

/** A name of the packet may hold a `=` itself. */
function splitChoice({ files }: Packet, text: string): [string, { kind: "file"; file: string }] {
  const named = files.map(({ path }) => plainPath(path)).find((path) => text.startsWith(`${path}=`));
  const at = named?.length ?? text.indexOf("=");
  if (at > 0) return [text.slice(0, at), { kind: "file", file: text.slice(at + 1) }];
  throw new GraftworkError("USAGE", {
    message: `${JSON.stringify(text)} names no file to take.`,
    because: "the form is PATH=FILE.",
    try: "`graftwork resolve TASK --take-file src/a.ts=/tmp/a.ts`.",
  });
}

function notWaiting(task: string, status: string): GraftworkError {
  return new GraftworkError("USAGE", {
    message: `${task} does not wait for a decision.`,
    because: `its status is ${status}.`,
    try: "`graftwork status` shows which tasks do.",
  });
}
