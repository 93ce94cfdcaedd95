import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { lastWords } from "../harness/processes.mjs";
import { branchOf, command, obey, treeOf } from "./place.mjs";

const { project, branches } = JSON.parse(readFileSync(new URL("six-branches.json", import.meta.url), "utf8"));

/** Nobody's branch touches this one. */
const UNSAVED = { path: "notes.txt", text: "notes\nthat nobody has saved\n" };

/**
 * Six branches, of which four can land: two get in nobody's way, two change one line, two are green alone and red
 * together. Made as agents make them, in a tree each; then the tool merges them, in this order, with or without a
 * file that the user has not saved. A merge that fails does not keep the others from being tried.
 */
export async function mergeSix(place, { isUnsaved }) {
  const { tool, repo, git } = place;
  await save(place, repo, { ...project, ...tool.settings });
  const trees = {};
  for (const [name, files] of Object.entries(branches)) {
    await obey(place, tool.create(place, name, "main"));
    trees[name] = await treeOf(place, name);
    await save(place, trees[name], files);
  }
  const tips = await Promise.all(Object.keys(branches).map((name) => git("rev-parse", branchOf(place, name))));
  if (isUnsaved) writeFileSync(join(repo, UNSAVED.path), UNSAVED.text);
  const ends = [];
  for (const { command: words, cwd } of tool.merge(place, trees)) ends.push(await command(place, words, { cwd }));
  const landed = await Promise.all(
    tips.map(async (tip) => (await succeeds(place, "git", "merge-base", "--is-ancestor", tip, "main")) && 1),
  );
  return {
    landed: landed.filter(Boolean).length,
    main: (await isGreen(place)) ? "green" : "**red**",
    checkout: await checkoutOf(place, isUnsaved),
    why: ends.filter(({ code }) => code !== 0).map((end) => lastWords(tool.lastSaid?.(end) ?? end)),
  };
}

async function save({ git }, folder, files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await git("-C", folder, "add", "--all");
  await git("-C", folder, "commit", "-q", "-m", "work");
}

async function succeeds(place, ...words) {
  return (await command(place, words)).code === 0;
}

/** Whether the tests pass on what main is, in a tree of its own. */
async function isGreen(place) {
  const tree = join(place.folder, "judged");
  await place.git("worktree", "add", "-q", "--detach", tree, "main");
  return (await command(place, [process.execPath, "test.js"], { cwd: tree })).code === 0;
}

/** What the user finds: unsaved work as it was, and nothing half done. */
async function checkoutOf({ repo, git }, isUnsaved) {
  const lines = (await git("status", "--porcelain", "--untracked-files=no")).split("\n").filter(Boolean);
  const found = [];
  if (existsSync(join(repo, ".git", "MERGE_HEAD"))) found.push("**a merge left open**");
  if (isUnsaved && readFileSync(join(repo, UNSAVED.path), "utf8") !== UNSAVED.text) found.push("**unsaved work lost**");
  if (found.length === 0 && lines.some((line) => !isUnsaved || !line.endsWith(UNSAVED.path))) found.push("**changed files**");
  return found.length === 0 ? "in order" : found.join(", ");
}
