import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../harness/compare.mjs";
import { lastWords } from "../harness/processes.mjs";
import { fileName } from "../harness/repository.mjs";
import { quoted, timed } from "../harness/timed.mjs";
import { branchOf, command, isWhole, obey, treeOf } from "./place.mjs";

const AT_ONCE = 10;

/** Ten worktrees one after the other: the milliseconds of each. */
export async function inSequence(place) {
  const times = [];
  for (let index = 0; index < AT_ONCE; index++) {
    const name = `seq-${index}`;
    const { wall } = await timed(quoted(...place.tool.create(place, name)), { cwd: place.repo, env: place.env });
    if (!(await isWhole(place, name))) throw new Error(`the command ended well, the tree of ${name} is not whole`);
    times.push(wall);
  }
  return median(times);
}

/** Ten at once: how many succeeded, the time until the last ended, branches that were left without a tree. */
export async function atOnce(place) {
  const names = Array.from({ length: AT_ONCE }, (_, index) => `burst-${index}`);
  const start = performance.now();
  const results = await Promise.all(names.map((name) => command(place, place.tool.create(place, name))));
  const wall = performance.now() - start;
  let succeeded = 0;
  let orphans = 0;
  const branches = (await place.git("for-each-ref", "--format=%(refname:short)", "refs/heads")).split("\n");
  for (const [index, name] of names.entries()) {
    if (results[index].code === 0 && (await isWhole(place, name))) succeeded++;
    if (branches.includes(branchOf(place, name)) && (await treeOf(place, name)) === undefined) orphans++;
  }
  return { succeeded, wall, orphans, why: results.find((result) => result.code !== 0) };
}

const MARK = "nobody else has this line";

/** What an agent left, each with the files whose content must not be lost. */
export const WORK = {
  "modified and untracked": (tree) => {
    appendFileSync(join(tree, fileName(0)), `${MARK} modified\n`);
    writeFileSync(join(tree, "new.txt"), `${MARK} untracked\n`);
    return [fileName(0), "new.txt"];
  },
  "only untracked": (tree) => {
    writeFileSync(join(tree, "new.txt"), `${MARK} untracked\n`);
    return ["new.txt"];
  },
  "only ignored": (tree) => {
    writeFileSync(join(tree, "data.local"), `${MARK} ignored\n`);
    return ["data.local"];
  },
  "committed, unmerged": async (tree, git) => {
    appendFileSync(join(tree, fileName(1)), `${MARK} committed\n`);
    await git("-C", tree, "commit", "-q", "-am", "work");
    return [fileName(1)];
  },
};

/** What the tool's own remove, without any force, does to work of one kind. */
export async function afterRemove(place, kind) {
  const name = `work-${Object.keys(WORK).indexOf(kind)}`;
  await obey(place, place.tool.create(place, name));
  const tree = await treeOf(place, name);
  const files = await WORK[kind](tree, place.git);
  const blobs = await place.git("-C", tree, "hash-object", "--no-filters", ...files);
  const before = files.map((file) => readFileSync(join(tree, file), "utf8"));
  const result = await command(place, place.tool.remove(place, name, tree));
  const inPlace = files.every((file, index) => existsSync(join(tree, file)) && readFileSync(join(tree, file), "utf8") === before[index]);
  const held = new Set((await place.git("rev-list", "--objects", "--all")).split("\n").map((line) => line.split(" ")[0]));
  const inRefs = blobs.split("\n").every((blob) => held.has(blob));
  const branches = await place.git("for-each-ref", "--format=%(refname:short)", "refs/heads");
  if (kind === "committed, unmerged" && inRefs && result.code === 0)
    return branches.split("\n").includes(branchOf(place, name)) ? "branch kept" : "saved";
  if (inPlace) return result.code === 0 ? "kept" : "refused";
  if (inRefs) return "saved";
  return result.code === 0 ? "**LOST**" : "**LOST**, and failed";
}

/** Somebody deletes the folder by hand; then the same create again. */
export async function afterDeletedFolder(place) {
  await obey(place, place.tool.create(place, "gone"));
  rmSync(await treeOf(place, "gone"), { recursive: true, force: true });
  return outcome(place, "gone", await command(place, place.tool.create(place, "gone")));
}

async function outcome(place, name, result) {
  if (result.code !== 0) return { word: "fails", why: lastWords(result) };
  if (await isWhole(place, name)) return { word: "works" };
  const path = await treeOf(place, name);
  return { word: path !== undefined && existsSync(path) ? "**exit 0, broken tree**" : "**exit 0, no tree**" };
}

/**
 * The create is killed, with all it started, when half of the new tree's folders are there; for a pool, whose trees are
 * there before, after a share of its usual time and while a tenth of the files change. Then the same create again.
 */
export async function afterKill(place, attempt, attempts) {
  const { tool } = place;
  const base = tool.init === undefined ? undefined : "moved-10";
  const start = performance.now();
  await obey(place, tool.create(place, "model", base));
  const usualMs = performance.now() - start;
  const path = (await treeOf(place, "model")).replaceAll("model", "killed");
  const seen = join(path, `src/part-${12 + 4 * attempt}`);
  const killWhen = tool.init === undefined ? () => existsSync(seen) : (passedMs) => passedMs > (usualMs * (attempt + 1)) / (attempts + 1);
  const killed = await command(place, tool.create(place, "killed", base), { killWhen });
  if (killed.signal !== "SIGKILL") return { word: "not hit", why: lastWords(killed) };
  return outcome(place, "killed", await command(place, tool.create(place, "killed", base)));
}

/** The making of a pool is killed while its first trees are written; then the same again, and an acquire. */
export async function afterKilledInit(place, attempt) {
  const { tool } = place;
  const seen = join(`${place.repo}.pool`, `wt-1/src/part-${12 + 4 * attempt}`);
  const killed = await command(place, tool.init(place, 2), { killWhen: () => existsSync(seen) });
  if (killed.signal !== "SIGKILL") return { word: "not hit", why: lastWords(killed) };
  await obey(place, tool.init(place, 2));
  const first = await outcome(place, "first", await command(place, tool.create(place, "first")));
  return first.word === "works" ? outcome(place, "second", await command(place, tool.create(place, "second"))) : first;
}
