import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
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
 */
export function adoptFacts({ root, trusted }: { root: string; trusted: string }): void {
  if (readTrusted(trusted, DONE).kind !== "missing" || storeProblem({ trusted }) !== undefined) return;
  for (const folder of FACTS) {
    const old = join(root, folder);
    for (const name of existsSync(old) ? readdirSync(old).filter((one) => NAME.test(one)) : []) {
      const text = readText(join(old, name)) ?? "";
      if (isJson(text)) writeTrusted(trusted, `${folder}/${name}`, text.trimEnd());
    }
  }
  for (const name of [...FACTS, ...OTHERS]) rmSync(join(root, name), { recursive: true, force: true });
  writeTrusted(trusted, DONE, "");
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
