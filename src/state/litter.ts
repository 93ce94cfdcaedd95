import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { rmSync } from "./disk.ts";
import type { Layout } from "./layout.ts";
import { isTokenOfDead } from "./mutex.ts";

/**
 * Temporary files that a killed process of ours left in graftwork's own folder, as they were `olderThanMs` ago or
 * longer: private indexes, half-written files and stores; and half-written files in `others`. Returns their paths.
 */
export function litterOf({ root, scratch, adminMutex, landings }: Layout, olderThanMs: number, others: readonly string[]): string[] {
  const found: string[] = [];
  const look = (folder: string, isTemporary: (name: string) => boolean): void => {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat !== undefined && isTemporary(name) && stat.mtimeMs < Date.now() - olderThanMs) found.push(path);
    }
  };
  const isTemporary = (name: string): boolean => /^\.graftwork-.*\.tmp$|\.(?:new|gone)\.[A-Za-z0-9]{6}$/.test(name);
  look(scratch, () => true);
  // Of who was killed while it waited for the mutex, which nobody does for long.
  look(adminMutex, (name) => isTokenOfDead(join(adminMutex, name)));
  look(root, isTemporary);
  for (const folder of [join(root, "git"), landings, ...others]) look(folder, isTemporary);
  const slots = join(root, "slots");
  for (const slot of existsSync(slots) ? readdirSync(slots) : []) look(join(slots, slot), isTemporary);
  return found;
}

export function removeLitter(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true });
}
