import { existsSync } from "node:fs";
import { join } from "node:path";
import { moveFile, readText, replaceFile, requireWithin } from "../state/index.ts";
import { type CheckpointInput, checkpointText } from "./checkpoint.ts";

export type ViewPaths = { progress: string; memory: string; conflicts: string };

/** Where the views of a repository's live or newest run are. Throws FOLDER_REFUSED if a link leads out of the repository. */
export function viewPaths(root: string): ViewPaths {
  const claude = join(root, ".claude");
  for (const folder of ["auto-memory", "conflicts"]) requireWithin(root, join(claude, folder));
  return { progress: join(claude, "auto-progress.yaml"), memory: join(claude, "auto-memory"), conflicts: join(claude, "conflicts") };
}

/** Where a task's packet is. Throws FOLDER_REFUSED if a link leads out of the repository. */
export function packetFolder(root: string, run: string, task: string): string {
  const folder = join(viewPaths(root).conflicts, run, task);
  requireWithin(root, folder);
  return folder;
}

/** Writes a view as YAML, whole. */
export async function writeYamlView(path: string, view: object): Promise<void> {
  const { stringify } = await import("./yaml-text.ts");
  replaceFile(path, stringify(view, { lineWidth: 0 }));
}

export type ViewWriter = { changed: () => void; flush: () => Promise<void> };

/**
 * Rewrites a view when it changed, so seldom that writing takes at most a twentieth of the time however many events
 * there are, and always once more at `flush`.
 */
export function viewWriter(write: () => Promise<void>): ViewWriter {
  let dirty = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let pauseMs = 100;
  const run = async (): Promise<void> => {
    dirty = false;
    const begun = performance.now();
    await write();
    pauseMs = Math.max(100, 20 * (performance.now() - begun));
  };
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      // A view that cannot be written costs a look, never the work: the last flush says so.
      writing = writing.then(run).catch(() => undefined);
    }, pauseMs);
  };
  return {
    changed() {
      dirty = true;
      later();
    },
    async flush() {
      clearTimeout(timer);
      timer = undefined;
      await writing;
      if (dirty) await run();
    },
  };
}

/**
 * Writes `parallel-group-N-summary.md` and its front matter alone beside it. The documented name always holds the
 * current run's checkpoint: an older run's file is first renamed to `…-summary.<run>.md`.
 */
export async function writeCheckpoint(memory: string, input: CheckpointInput): Promise<string> {
  const { frontMatter, page } = await checkpointText(input);
  const path = join(memory, `parallel-group-${input.group}-summary.md`);
  const older = /^run: ["']?([^"'\n]+)["']?$/m.exec(readText(path) ?? "")?.[1];
  if (older !== undefined && older !== input.facts.run && !existsSync(olderName(path, older))) moveFile(path, olderName(path, older));
  replaceFile(path, page, { flush: true });
  replaceFile(path.replace(/\.md$/, ".yaml"), frontMatter);
  return path;
}

function olderName(path: string, run: string): string {
  return path.replace(/\.md$/, `.${run.replace(/[^\w.-]/g, "_")}.md`);
}
