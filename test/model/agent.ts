import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, writeFiles } from "../fixtures/index.ts";
import { isInSlot, type Model } from "./model.ts";
import { blobId, type World } from "./world.ts";

/** Ways in which an agent leaves work that is in no commit of its branch. */
export const DIRTY = [
  "staged",
  "staged-and-deleted",
  "unstaged",
  "untracked",
  "ignored",
  "assume-unchanged",
  "skip-worktree",
  "detached-commit",
  "stopped-merge",
  "nested-repository",
] as const;
export type Dirty = (typeof DIRTY)[number];

export const CORRUPT = ["other-branch", "branch-deleted", "git-file-replaced", "index-locked"] as const;
export type Corrupt = (typeof CORRUPT)[number];

/** The `n`th slot that a live lease holds and whose folder is there: where an agent can work. */
export function workplace(model: Model, world: World, n: number): { slot: string; token: number; branch: string } | undefined {
  const places = model.busy().filter(([id]) => existsSync(world.slotPath(id)));
  const [slot, lease] = places[n % Math.max(1, places.length)] ?? [];
  return slot === undefined || lease === undefined ? undefined : { slot, token: lease.token, branch: lease.branch };
}

/** Commits a file of its own, where the slot's git lets it. */
export function agentCommits(model: Model, world: World, slot: string, token: number): void {
  const [name, text] = [model.newName(), model.newText()];
  writeFiles(world.slotPath(slot), { [name]: text });
  model.remember({ slot, path: name, text, staged: false });
  if (world.slotGit(slot, "add", "--", name) === undefined) return;
  if (world.slotGit(slot, "commit", "--quiet", "-m", name) === undefined) return;
  const commit = world.slotGit(slot, "rev-parse", "HEAD");
  if (commit !== undefined) model.commits.set(commit, token);
}

export function agentDirties(model: Model, world: World, slot: string, token: number, how: Dirty): void {
  const folder = world.slotPath(slot);
  const name = model.newName();
  const text = model.newText();
  const write = (path: string): void => {
    writeFiles(folder, { [path]: text });
    model.remember({ slot, path, text, staged: false });
  };
  switch (how) {
    case "untracked":
      return write(`new/${name}`);
    case "ignored":
      return write(`${name}.log`);
    case "unstaged":
      return write("changed");
    case "assume-unchanged":
    case "skip-worktree":
      world.slotGit(slot, "update-index", `--${how}`, how === "assume-unchanged" ? "assumed" : "skipped");
      return write(how === "assume-unchanged" ? "assumed" : "skipped");
    case "staged":
      write(name);
      world.slotGit(slot, "add", "--", name);
      return;
    case "staged-and-deleted":
      writeFiles(folder, { [name]: text });
      if (world.slotGit(slot, "add", "--", name) === undefined) return;
      rmSync(join(folder, name));
      return model.remember({ slot, path: name, text, staged: true });
    case "detached-commit":
      if (world.slotGit(slot, "switch", "--quiet", "--detach") === undefined) return;
      return agentCommits(model, world, slot, token);
    case "stopped-merge":
      world.slotGit(slot, "merge", "--quiet", "--no-edit", "side");
      return;
    case "nested-repository": {
      write(`${name}/inner`);
      const inner = join(folder, name);
      git(inner, "init", "--quiet", "--template=");
      git(inner, "add", "--all");
      git(inner, "-c", "user.name=A", "-c", "user.email=a@example.invalid", "commit", "--quiet", "-m", "inner");
      return;
    }
  }
}

export function agentCorrupts(model: Model, world: World, slot: string, branch: string, how: Corrupt): void {
  switch (how) {
    case "other-branch":
      world.slotGit(slot, "switch", "--quiet", "--create", `rogue-${model.newName()}`);
      return;
    case "branch-deleted":
      // What the branch held is the lease's from here on: its HEAD's log names it, and nothing else may.
      if (world.slotGit(slot, "update-ref", "-d", `refs/heads/${branch}`) === undefined) return;
      model.damaged.add(slot);
      return;
    case "git-file-replaced": {
      const path = world.slotPath(slot);
      rmSync(join(path, ".git"), { recursive: true, force: true });
      git(path, "init", "--quiet", "--template=");
      return;
    }
    case "index-locked":
      writeFileSync(join(world.repo.dir, ".git/worktrees", slot, "index.lock"), "", { flag: "a" });
      return;
  }
}

/** The user deletes a slot's folder: what was only there is the user's own loss, what git's files name is not. */
export function folderRemoved(model: Model, world: World, slot: string): void {
  const named = world.blobs(true);
  for (const [key, work] of model.work) {
    if (work.slot !== slot || !isInSlot(world, work)) continue;
    model.work.delete(key);
    if (named.has(blobId(work.text))) model.remember({ ...work, staged: true });
  }
  rmSync(world.slotPath(slot), { recursive: true, force: true });
  model.damaged.add(slot);
}
