import { join } from "node:path";
import { openRoom, sweepRooms, visibleEnvironment } from "../checkout/index.ts";
import { type CheckResult, GraftworkError, type JudgedCheck, type Verdict, type VerifyRequest } from "../domain/index.ts";
import { type Oid, type Repository, treeOf } from "../git/index.ts";
import type { QaContext } from "./context.ts";
import { orDiskFull } from "./disk.ts";
import { type Judgement, judge, unrun } from "./judge.ts";
import { fileName, type Judging, logFilesIn, stopIfAborted } from "./judging.ts";
import { labelInKey } from "./label-in-key.ts";
import { objectsMissing, pinCommit, unpin } from "./pin-commit.ts";
import { type Place, takePlace } from "./places.ts";
import { planChecks, runnable } from "./plan-checks.ts";
import { verdictKey } from "./verdict-key.ts";
import { knownApproval, rememberApproval } from "./verdict-memo.ts";

/**
 * Judges `request.commit`, which merging made on top of `request.base`: a fresh checkout, a fresh install, the checks.
 * The verdict is a value; only an interruption (INTERRUPTED) and a repository that git cannot read are thrown. The
 * user's files, branches and HEAD are not touched, and nothing is left but logs and, of an approval, its record.
 */
export async function verifyCommit(context: QaContext, request: VerifyRequest): Promise<Verdict> {
  stopIfAborted(request);
  const { repository, settings } = context;
  const { label, commit, base } = request;
  const plan = await planChecks(context, request);
  const checks = runnable(plan);
  const { tree, read } = await whatIsJudged(repository, request, checks);
  const visible = { ...visibleEnvironment(repository.parentEnv, settings.env, repository.root), ...context.setEnv };
  const { allowScripts } = settings;
  const key = verdictKey({ checks, environment: visible, allowScripts, base, label: read, commits: [commit, base] });
  const verdict = (judgement: Judgement): Verdict => ({ label, commit, base, tree, key, at: context.now().toISOString(), ...judgement });

  if (checks.length === 0) return verdict({ decision: "blocked", reason: noChecks(plan), checks: unrun(plan), install: "none" });
  const known = knownApproval(repository, tree, key);
  if (known !== undefined) {
    request.onProgress?.("the same tree passed the same checks before");
    return { ...known, label, commit, base, install: "reused-verdict", at: context.now().toISOString() };
  }
  const reached = verdict(await judgeInRoom({ context, request, tree, plan, visible }));
  rememberApproval(repository, reached);
  return reached;
}

/** What git says of an object that it does not have. */
const MISSING = /single revision|unable to read|bad (?:object|tree)|missing/i;

/** Returns the tree, and the label if anything reads it. Throws GIT_FAILED if objects of the commit are missing. */
async function whatIsJudged(
  repository: Repository,
  request: VerifyRequest,
  checks: readonly JudgedCheck[],
): Promise<{ tree: Oid; read: string | null }> {
  try {
    const tree = await treeOf(repository, request.commit);
    return { tree, read: await labelInKey(repository, tree, checks, request.label) };
  } catch (error) {
    throw error instanceof GraftworkError && MISSING.test(error.because) ? objectsMissing(request, error) : error;
  }
}

type Step = {
  context: QaContext;
  request: VerifyRequest;
  tree: Oid;
  plan: readonly JudgedCheck[];
  visible: Readonly<Record<string, string>>;
};

async function judgeInRoom({ context, request, tree, plan, visible }: Step): Promise<Judgement> {
  const { repository, run } = context;
  const results: CheckResult[] = [];
  const since = context.now().toISOString();
  let place: Place | undefined;
  try {
    await sweepRooms(repository, context.now());
    place = await takePlace(repository, () => stopIfAborted(request));
    const room = openRoom(repository, (id) => `refs/graftwork/qa/${fileName(run)}/${fileName(request.label)}.${id}`);
    try {
      await pinCommit(repository, room.pin, request);
      const judging: Judging = {
        context,
        request,
        repository,
        room,
        place,
        since,
        judged: { commit: request.commit, tree },
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
      await unpin(repository, room.pin, request.commit);
    }
  } catch (error) {
    stopIfAborted(request);
    if (!(error instanceof GraftworkError) || error.code !== "QA_BLOCKED") throw error;
    const reason = `${error.message.replace(/\.$/, "")}: ${error.because} Try: ${error.try}`;
    return { decision: "blocked", reason, install: "none", checks: [...results, ...unrun(plan.slice(results.length))] };
  } finally {
    await place?.leave();
  }
}

function noChecks(plan: readonly JudgedCheck[]): string {
  const found = plan.length === 0 ? "no check is configured" : `no check can be run (${plan.map(({ skip }) => skip).join("; ")})`;
  return `${found}, and work without one is never approved: set \`qa.checks\` in .claude/auto-context.yaml, or \`verification\` in the plan`;
}
