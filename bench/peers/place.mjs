import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "../harness/processes.mjs";
import { makeRepository } from "../harness/repository.mjs";

/** A repository with a bare origin for one job of one tool. */
export async function makePlace(folder, { tool, env, files, slots = 10 }) {
  const repo = await makeRepository(join(folder, "repo"), { files, env, bytes: 4_000 });
  const git = async (...args) => (await must("git", args, { cwd: repo, env })).stdout.trim();
  await git("clone", "-q", "--bare", repo, join(folder, "origin.git"));
  await git("remote", "add", "origin", join(folder, "origin.git"));
  await git("fetch", "-q", "origin");
  await git("remote", "set-head", "origin", "main");
  mkdirSync(join(folder, "trees"), { recursive: true });
  const place = { folder, repo, env, git, tool };
  if (tool.init !== undefined && slots > 0) await obey(place, tool.init(place, slots));
  return place;
}

export function command(place, [program, ...args], options = {}) {
  return run(program, args, { cwd: place.repo, env: place.env, ...options });
}

/** A command that the job needs to go well. */
export function obey(place, [program, ...args]) {
  return must(program, args, { cwd: place.repo, env: place.env });
}

export function branchOf(place, name) {
  return place.tool.branch?.(name) ?? name;
}

/** The folder that a branch is checked out in, as git lists it; undefined where it is nowhere. */
export async function treeOf(place, name) {
  const blocks = (await place.git("worktree", "list", "--porcelain")).split("\n\n");
  const found = blocks.find((block) => block.split("\n").includes(`branch refs/heads/${branchOf(place, name)}`));
  return found?.split("\n")[0].slice("worktree ".length);
}

/** Whether a create that ended well left a whole tree on its branch. */
export async function isWhole(place, name) {
  const path = await treeOf(place, name);
  if (path === undefined || !existsSync(path)) return false;
  const { code, stdout } = await command(place, ["git", "-C", path, "status", "--porcelain"]);
  return code === 0 && stdout === "";
}
