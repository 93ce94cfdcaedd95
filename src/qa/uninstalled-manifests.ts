import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { below, listPaths, readBelow } from "../git/index.ts";
import type { Judging } from "./judging.ts";

const MANIFESTS_MAX = 200;
const NAMED_MAX = 3;

/** What is asked of the files in a checkout. */
export type Files = { read: (path: string) => string | undefined; exists: (path: string) => boolean };

/**
 * Returns the manifests below the root with a dependency that no `node_modules` folder above them has, so that a
 * workspace of the root does not count. Only those whose folder or dependency the failure names: a repository may
 * have many manifests that no check needs, such as examples.
 */
export function uninstalledManifests(paths: readonly string[], files: Files, failure: { command: string; output: string }): string[] {
  const manifests = paths.filter((path) => path.endsWith("/package.json") && !/(?:^|\/)node_modules\//.test(path));
  if (files.exists(".pnp.cjs")) return [];
  return manifests.slice(0, MANIFESTS_MAX).filter((path) => {
    const folder = dirname(path);
    const missing = dependenciesOf(files.read(path)).filter(
      (name) => !foldersAbove(folder).some((at) => files.exists(join(at, "node_modules", name))),
    );
    if (missing.length === 0) return false;
    if (speaksOf(failure.command, folder) || failure.output.includes(`${folder}/`)) return true;
    return missing.some((name) => speaksOf(failure.output, name));
  });
}

/** Returns the end of a reason that says so and what to do; empty if every manifest that matters was installed. */
export async function manifestHint(judging: Judging, dir: string, failure: { command: string; output: string }): Promise<string> {
  const paths = await listPaths(judging.repository, judging.judged.commit);
  const files: Files = { read: (path) => readBelow(dir, path)?.toString("utf8"), exists: (path) => existsSync(below(dir, path)) };
  const found = uninstalledManifests(paths, files, failure);
  if (found.length === 0) return "";
  const names = `${found.slice(0, NAMED_MAX).join(", ")}${found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : ""}`;
  return `. The dependencies of ${names} were not installed: only those of the root are. Let the check install them first, or make the folder a workspace of the root`;
}

function dependenciesOf(text: string | undefined): string[] {
  try {
    const manifest: unknown = JSON.parse(text ?? "");
    if (typeof manifest !== "object" || manifest === null) return [];
    const { dependencies, devDependencies } = manifest as Record<string, unknown>;
    return [dependencies, devDependencies].flatMap((one) => (typeof one === "object" && one !== null ? Object.keys(one) : []));
  } catch {
    return [];
  }
}

/** The folder itself and all above it, up to the root. */
function foldersAbove(folder: string): string[] {
  return folder === "." ? ["."] : [folder, ...foldersAbove(dirname(folder))];
}

function speaksOf(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return new RegExp(`(?:^|[^\\w@-])${escaped}(?![\\w-])`, "m").test(text);
}
