import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect } from "vitest";
import type { RunEvent } from "../../../src/domain/index.ts";
import { replaceFile } from "../../../src/state/index.ts";
import type { TempRepo } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { type Bench, bench } from "./bench.ts";
import { type Fate, FILES, fatesOf, isRed, makeBranches, type RandomPlan, randomPlans, taskOf, USERS } from "./random-plan.ts";

/** A commit that was verified, what its tree was, and whose checks counted. */
type Look = { commit: string; tree: string; tasks: readonly string[]; isRed: boolean };

/**
 * Lands so many random plans, each in a repository of its own, and holds what came of them against what must. A
 * failure prints seed and path: GRAFTWORK_MODEL_SEED and GRAFTWORK_MODEL_PATH do that very plan again.
 */
export async function landRandomPlans({ runs, seed }: { runs: number; seed: number }): Promise<string> {
  const { GRAFTWORK_MODEL_PATH: path, GRAFTWORK_MODEL_SEED: again } = process.env;
  const seen = { verified: 0, fates: new Map<Fate, number>() };
  const property = fc.asyncProperty(randomPlans, async (plan) => {
    const { looks, fates } = await landAndCheck(plan);
    seen.verified += looks.length;
    for (const fate of fates.values()) seen.fates.set(fate, 1 + (seen.fates.get(fate) ?? 0));
  });
  await fc.assert(property, { numRuns: runs, seed: Number(again ?? seed), ...(path !== undefined && { path }) });
  const fates = [...seen.fates].map(([fate, times]) => `${times} ${fate}`).join(", ");
  return `merge plans seed=${again ?? seed}: ${runs} plans, ${seen.verified} verifications; tasks: ${fates}`;
}

async function landAndCheck(plan: RandomPlan): Promise<{ looks: readonly Look[]; fates: Map<string, Fate> }> {
  const made = await bench({}, undefined, FILES);
  const { repo, events, context } = made;
  try {
    makeBranches(repo, plan);
    if (!plan.isCheckedOut) repo.git("switch", "-q", "-c", "elsewhere");
    replaceFile(join(context.repository.layout.root, "merge-record.json"), JSON.stringify({ ejection: plan.ejection }));
    const looks = watchVerifications(made, plan);
    const tips = branchTips(repo);
    const offered = plan.offered.map((name) => ({
      task: name,
      title: name,
      branch: `auto/${name}`,
      commit: tips.get(`auto/${name}`) ?? "",
      dependsOn: taskOf(plan, name).dependsOn,
    }));
    const { landed } = await mergeCandidates({ ...context, slots: plan.slots }, offered);
    const fates = fatesOf(plan);
    expect(landed).toEqual(plan.offered.filter((name) => fates.get(name) === "lands"));
    checkWhatIsSaid(events, fates);
    checkTarget(repo, plan, { tips, looks, landed });
    checkNoneTwice(plan, looks);
    return { looks, fates };
  } finally {
    // Two thousand of them would fill a small disk before the test is over.
    rmSync(repo.parent, { recursive: true, force: true });
  }
}

/** Makes `verify` a function of the tree, notes each, and lets the user commit in the middle of one. */
function watchVerifications({ repo, context }: Bench, plan: RandomPlan): Look[] {
  const looks: Look[] = [];
  const { verify } = context;
  let running = 0;
  context.verify = async (request) => {
    running++;
    expect(running).toBeLessThanOrEqual(plan.slots);
    const tree = repo.git("ls-tree", request.commit);
    const files = filesOf(tree);
    const look: Look = { commit: request.commit, tree, tasks: request.tasks, isRed: isRed(plan, (task) => files.has(task)) };
    looks.push(look);
    if (looks.length === plan.userCommitsAt) userCommits(repo, plan);
    const verdict = await verify(request);
    running--;
    return { ...verdict, decision: look.isRed ? "rejected" : "approved", reason: look.isRed ? "red" : "" };
  };
  return looks;
}

function userCommits(repo: TempRepo, plan: RandomPlan): void {
  if (plan.isCheckedOut) repo.git("merge", "-q", "--ff-only", USERS);
  else repo.git("update-ref", "refs/heads/main", USERS);
}

/** Who does not land is said with the reason; who waits for such a one is not blamed. */
function checkWhatIsSaid(events: readonly RunEvent[], fates: ReadonlyMap<string, Fate>): void {
  const of = (fate: Fate): string[] => [...fates].flatMap(([name, own]) => (own === fate ? [name] : []));
  const said = (type: "conflict" | "ejected"): string[] => events.flatMap((event) => (event.type === type ? [event.task] : []));
  expect(said("conflict").sort()).toEqual(of("collides").sort());
  expect(said("ejected").sort()).toEqual(of("is red").sort());
}

/** The target never was at a commit that is not the user's and was not verified, green, as the very tree it is. */
function checkTarget(
  repo: TempRepo,
  plan: RandomPlan,
  { tips, looks, landed }: { tips: ReadonlyMap<string, string>; looks: readonly Look[]; landed: readonly string[] },
): void {
  for (const commit of repo.git("log", "-g", "--format=%H", "main").split("\n")) {
    if (commit === tips.get("main") || commit === tips.get(USERS)) continue;
    expect(looks.find((one) => one.commit === commit)).toMatchObject({ isRed: false, tree: repo.git("ls-tree", commit) });
  }
  const tree = filesOf(repo.git("ls-tree", "main"));
  expect(isRed(plan, (task) => tree.has(task))).toBe(false);
  const merged = repo.git("for-each-ref", "--merged=main", "--format=%(refname:short)", "refs/heads/auto").split("\n");
  for (const name of landed) {
    expect(merged).toContain(`auto/${name}`);
    for (const needed of taskOf(plan, name).dependsOn) expect(merged).toContain(`auto/${needed}`);
  }
  expect(repo.git("status", "--porcelain")).toBe("");
  expect(repo.git("for-each-ref", "refs/graftwork/train", "refs/graftwork/merged")).toBe("");
}

/**
 * Nothing is asked twice. A tree may come again with the checks of other tasks only, where a branch that was cut from
 * another one brings that one's work without it.
 */
function checkNoneTwice({ tasks }: RandomPlan, looks: readonly Look[]): void {
  const isCut = tasks.some(({ cutFrom }) => cutFrom !== null);
  const asked = looks.map(({ tree, tasks: checked }) => (isCut ? `${checked.join(" ")}\n${tree}` : tree));
  expect(asked).toEqual([...new Set(asked)]);
}

function branchTips(repo: TempRepo): Map<string, string> {
  const lines = repo.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").split("\n");
  return new Map(lines.map((line) => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]));
}

function filesOf(tree: string): Set<string> {
  return new Set(tree.split("\n").map((line) => line.split("\t")[1] ?? ""));
}
