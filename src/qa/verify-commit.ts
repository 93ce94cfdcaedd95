import { join } from "node:path";
import { openRoom, sweepRooms, visibleEnvironment } from "../checkout/index.ts";
import { type CheckResult, GraftworkError, type Verdict, type Verification, type VerifyRequest } from "../domain/index.ts";
import { type Oid, treeOf } from "../git/index.ts";
import { runnable } from "./base-alone.ts";
import type { QaContext } from "./context.ts";
import { orDiskFull } from "./disk.ts";
import { type Judgement, judge, unrun } from "./judge.ts";
import { fileName, type Judging, logFilesIn, stopIfAborted } from "./judging.ts";
import { mergeOntoBase, pinMerged, unpin } from "./merge-onto-base.ts";
import { type PlannedCheck, planChecks } from "./plan-checks.ts";
import { verdictKey } from "./verdict-key.ts";
import { knownApproval, rememberApproval } from "./verdict-memo.ts";

/**
 * Judges `request.commit` merged onto `request.base`: a fresh checkout of what would land, a fresh install, the checks.
 * The verdict is a value; only an interruption (INTERRUPTED) and a repository that git cannot read are thrown. The
 * user's files, branches and HEAD are not touched, and nothing is left but logs and, of an approval, its record.
 */
export async function verifyCommit(context: QaContext, request: VerifyRequest): Promise<Verification> {
  stopIfAborted(request);
  const { repository, settings } = context;
  const { label, commit, base } = request;
  const merged = await mergeOntoBase(repository, request);
  if (merged.kind === "conflict") return { decision: "conflict", label, commit, base, paths: merged.paths };
  const plan = await planChecks(context, request);
  const checks = runnable(plan).map(({ check }) => check);
  const visible = { ...visibleEnvironment(repository.parentEnv, settings.env, repository.root), ...context.setEnv };
  const key = verdictKey({ checks, environment: visible, allowScripts: settings.allowScripts, commits: [commit, base] });
  const verdict = (judgement: Judgement): Verdict => ({
    decision: judgement.decision,
    label,
    commit,
    base,
    tree: merged.tree,
    key,
    reason: judgement.reason,
    checks: judgement.checks,
    install: judgement.install,
    at: context.now().toISOString(),
  });
  const unjudged = (decision: "rejected" | "blocked", reason: string): Verdict =>
    verdict({ decision, reason, checks: unrun(plan), install: "none" });

  if (merged.kind === "unrelated") return unjudged("rejected", "the commit has no history in common with the base, so it cannot be merged");
  if (checks.length === 0) return unjudged("blocked", noChecks(plan));
  const known = knownApproval(repository, merged.tree, key);
  if (known !== undefined) {
    request.onProgress?.("the same tree passed the same checks before");
    return { ...known, label, commit, base, install: "reused-verdict", at: context.now().toISOString() };
  }
  const reached = verdict(await judgeInRoom({ context, request, merged, plan, visible }));
  rememberApproval(repository, reached);
  return reached;
}

type Step = {
  context: QaContext;
  request: VerifyRequest;
  merged: { tree: Oid; commit: Oid | null };
  plan: readonly PlannedCheck[];
  visible: Readonly<Record<string, string>>;
};

async function judgeInRoom({ context, request, merged, plan, visible }: Step): Promise<Judgement> {
  const { repository, run } = context;
  const results: CheckResult[] = [];
  try {
    await sweepRooms(repository, context.now());
    const room = openRoom(repository, (id) => `refs/graftwork/qa/${fileName(run)}/${fileName(request.label)}.${id}`);
    let pinned: Oid | undefined;
    try {
      pinned = await pinMerged(repository, room.pin, request, merged);
      const judging: Judging = {
        context,
        request,
        repository,
        room,
        judged: { commit: pinned, tree: merged.tree },
        baseTree: await treeOf(repository, request.base),
        visible,
        history: plan.some(({ check }) => check.history),
        logFile: logFilesIn(join(context.logs, "qa", fileName(request.label))),
        say: (line: string) => request.onProgress?.(line),
      };
      return await judge(judging, plan, results);
    } catch (error) {
      throw orDiskFull(error, room.path);
    } finally {
      await room.dispose();
      if (pinned !== undefined) await unpin(repository, room.pin, pinned);
    }
  } catch (error) {
    stopIfAborted(request);
    if (!(error instanceof GraftworkError) || error.code !== "QA_BLOCKED") throw error;
    const reason = `${error.message.replace(/\.$/, "")}: ${error.because} Try: ${error.try}`;
    return { decision: "blocked", reason, install: "none", checks: [...results, ...unrun(plan.slice(results.length))] };
  }
}

function noChecks(plan: readonly PlannedCheck[]): string {
  const found = plan.length === 0 ? "no check is configured" : `no check can be run (${plan.map(({ skip }) => skip).join("; ")})`;
  return `${found}, and work without one is never approved: set \`qa.checks\` in .claude/auto-context.yaml, or \`verification\` in the plan`;
}
