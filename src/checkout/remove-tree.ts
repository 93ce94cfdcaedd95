import { rm } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../domain/index.ts";
import { pathBytes, readFolder } from "../git/index.ts";
import { chmodSync } from "../state/index.ts";

/** Deletes a folder and all in it, links as links. What a check made read-only goes as well. */
export async function removeTree(path: string): Promise<void> {
  const remove = (): Promise<void> =>
    new Promise((resolve, reject) => {
      rm(path, { recursive: true, force: true, maxRetries: 3 }, (error) => (error === null ? resolve() : reject(error)));
    });
  try {
    await remove();
  } catch (error) {
    if (!["EACCES", "EPERM"].includes(systemCode(error) ?? "")) throw error;
    openUp(path);
    await remove();
  }
}

/** Makes a folder and all below it writable, since nothing in a read-only folder can be deleted or moved. */
export function openUp(folder: string): void {
  chmodSync(pathBytes(folder), 0o700);
  for (const entry of readFolder(folder)) if (entry.isDirectory()) openUp(join(folder, entry.name));
}
