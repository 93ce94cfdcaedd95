import { existsSync, lstatSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { replaceFile } from "./atomic-file.ts";
import { rmSync } from "./disk.ts";
import { readText } from "./read-file.ts";
import { readTrusted, storeProblem, writeTrusted } from "./trusted-store.ts";

/** Older versions kept these facts below graftwork's folder in the repository. */
const FACTS = ["verdicts", "resolutions"] as const;
const OTHERS = ["git", "pinned-settings.json"] as const;
const NAME = /^[0-9a-f]{40,64}(?:-[0-9a-f]{32})?(?:\.base)?\.json$/;
const DONE = "adopted";

/**
 * Takes over what an older version kept in the repository, once for each store, and deletes it there. Call it while no
 * task is at work. Each fact is checked again whenever it is read; what is no JSON, or has another name, is left behind.
 * Files written after this user's first use of trusted stores are left behind too: no older version wrote them.
 */
export function adoptFacts({ root, trusted }: { root: string; trusted: string }): void {
  if (readTrusted(trusted, DONE).kind !== "missing" || storeProblem({ trusted }) !== undefined) return;
  const since = firstUse(dirname(trusted));
  for (const folder of FACTS) {
    const old = join(root, folder);
    for (const name of existsSync(old) ? readdirSync(old).filter((one) => NAME.test(one)) : []) {
      // Only the system sets ctime. Moving a repository keeps it, and a planted file cannot backdate it.
      if (lstatSync(join(old, name)).ctimeMs > since) continue;
      const text = readText(join(old, name)) ?? "";
      if (isJson(text)) writeTrusted(trusted, `${folder}/${name}`, text.trimEnd());
    }
  }
  for (const name of [...FACTS, ...OTHERS]) rmSync(join(root, name), { recursive: true, force: true });
  writeTrusted(trusted, DONE, "");
}

/** Returns when this user first used trusted stores, in milliseconds since 1970. Records the current time at the first call. */
function firstUse(stores: string): number {
  const file = join(stores, "since");
  const known = Number(readText(file) ?? "");
  if (known > 0) return known;
  const now = Date.now();
  replaceFile(file, `${now}\n`);
  return now;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
