import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { existingStore } from "../../../src/pool/index.ts";
import { storeExists } from "../../../src/state/index.ts";
import { findProcesses } from "../../../src/subprocess/index.ts";
import { git } from "../../fixtures/index.ts";
import type { Stage } from "./scenarios.ts";

/** The user's checkout, as it must stay whatever is killed. */
export function checkoutOf({ repo: { dir } }: Stage): string {
  const plain = (...args: readonly string[]) => git(dir, "-c", "core.bare=false", "--git-dir=.git", "--work-tree=.", ...args);
  const parts = [["rev-parse", "HEAD"], ["symbolic-ref", "HEAD"], ["ls-files", "--stage"], ["stash", "list"], ["diff"]] as const;
  return [...parts.map((args) => plain(...args)), readFileSync(join(dir, ".env"), "utf8")].join("\n--\n");
}

/** Every promise that is broken, one line each (reliability.md: P5, P6, P7, P9, P12, P15; spec: S1 to S4). */
export function brokenPromises(stage: Stage, checkout: string): string[] {
  return [...lostWork(stage), ...orphans(stage), ...(checkoutOf(stage) === checkout ? [] : ["the user's checkout is another"])];
}

/**
 * Work that is nowhere, once git has thrown away what nothing names. Of a slot that is leased still, its own index and
 * HEAD log are places too; of one that was cleared, refs and the trash alone.
 */
function lostWork({ repo: { dir }, context, bytes, commits }: Stage): string[] {
  const plain = (...args: readonly string[]) => git(dir, "-c", "core.bare=false", ...args);
  plain("prune", "--expire=now");
  const { poolStore } = context.repository.layout;
  const isLeased =
    storeExists(poolStore) &&
    existingStore(context.repository)
      .read()
      .state.slots.some((slot) => slot.lease !== null);
  const objects = isLeased ? ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"] : ["rev-list", "--objects", "--all"];
  const kept = new Set(plain(...objects).split(/\s/));
  const files = filesBelow(`${dir}.pool`);
  const isThere = (text: string): boolean => {
    const blob = createHash("sha1")
      .update(`blob ${Buffer.byteLength(text)}\0${text}`)
      .digest("hex");
    return kept.has(blob) || files.some((file) => readFileSync(file, "utf8") === text);
  };
  return [
    ...bytes.filter((text) => !isThere(text)).map((text) => `lost: ${JSON.stringify(text.slice(-40))}`),
    ...commits.filter((commit) => !kept.has(commit)).map((commit) => `nothing keeps commit ${commit}`),
  ];
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path).isFile());
}

/** Branches, worktrees, administration folders, locks and processes that nobody owns. */
function orphans({ repo: { dir }, context }: Stage): string[] {
  const slots = storeExists(context.repository.layout.poolStore)
    ? existingStore(context.repository).read().state
    : { slots: [], branches: {} };
  const found: string[] = [];
  const paths = new Set<string>(slots.slots.map((slot) => slot.path));
  const worktrees = git(dir, "worktree", "list", "--porcelain")
    .split("\n")
    .filter((line) => line.startsWith("worktree "))
    .map((line) => line.slice(9));
  for (const path of worktrees.slice(1)) if (!paths.has(path)) found.push(`worktree ${path} has no slot`);
  if (worktrees.length - 1 !== paths.size) found.push(`${worktrees.length - 1} worktrees for ${paths.size} slots`);
  for (const { id, status, lease } of slots.slots) {
    if (status !== "idle" && status !== "busy") found.push(`${id} is ${status}`);
    if ((status === "busy") !== (lease !== null)) found.push(`${id} is ${status} ${lease === null ? "without" : "with"} a lease`);
  }
  // A branch with work on it may outlive its pool; one without must have an owner.
  const head = git(dir, "rev-parse", "HEAD");
  const recorded = storeExists(context.repository.layout.poolStore) ? slots.branches : undefined;
  for (const line of git(dir, "for-each-ref", "--format=%(objectname) %(refname:short)", "refs/heads/auto").split("\n").filter(Boolean)) {
    const [tip, branch = ""] = line.split(" ");
    if (recorded !== undefined && tip === head && !(branch in recorded)) found.push(`branch ${branch} is recorded nowhere`);
  }
  for (const path of filesBelow(join(dir, ".git")).filter((one) => one.endsWith(".lock"))) found.push(`${path} was left`);
  const admin = join(dir, ".git/worktrees");
  for (const name of existsSync(admin) ? readdirSync(admin) : [])
    if (!slots.slots.some((slot) => slot.admin === name)) found.push(`administration folder ${name} has no slot`);
  const running = findProcesses({ markers: [...paths].map((path) => `GRAFTWORK_SLOT_PATH=${path}`), folders: [] });
  if (running.length > 0) found.push(`still running: ${running.join(", ")}`);
  return found;
}
