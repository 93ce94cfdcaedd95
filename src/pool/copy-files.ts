import { existsSync, lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import picomatch from "picomatch";
import { count } from "../domain/index.ts";
import { lstatBelow } from "../git/index.ts";
import { cpSync, mkdirSync } from "../state/index.ts";
import type { PoolContext } from "./context.ts";

/** Copies the configured untracked files (globs below the main worktree) into a slot. Returns their paths. */
export async function copyConfigured(context: PoolContext, slot: { id: string; path: string }): Promise<string[]> {
  const { root } = context.repository;
  const copied: string[] = [];
  for (const pattern of context.settings.copy) {
    for (const path of expand(root, pattern)) {
      if (!isFree(slot.path, path)) continue;
      const to = join(slot.path, path);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(root, path), to, { preserveTimestamps: true });
      copied.push(path);
    }
  }
  if (copied.length > 0) context.narrate(`copied ${count(copied.length, "file")} into the slot: ${copied.join(", ")}`);
  return copied;
}

/** Nothing is there, and no link or file on the way to it: a copy must not land outside of the slot. */
function isFree(root: string, path: string): boolean {
  const parents = path.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  return parents.every((one) => lstatBelow(root, one)?.isDirectory() ?? true) && lstatBelow(root, path) === undefined;
}

/** Files below `root` that match a glob; looks only into the folder that the glob's fixed part names. */
function expand(root: string, pattern: string): string[] {
  if (pattern.startsWith("/") || pattern.split("/").includes("..")) return [];
  const { base, isGlob } = picomatch.scan(pattern);
  if (!isGlob) return isFile(join(root, pattern)) ? [pattern] : [];
  const matches = picomatch(pattern, { dot: true });
  const deep = pattern.includes("**");
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of existsSync(join(root, folder)) ? readdirSync(join(root, folder), { withFileTypes: true }) : []) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile() && matches(path)) found.push(path);
      if (
        entry.isDirectory() &&
        (deep || pattern.split("/").length > path.split("/").length) &&
        entry.name !== ".git" &&
        entry.name !== "node_modules"
      )
        look(path);
    }
  };
  look(base === "." ? "" : base);
  return found;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
