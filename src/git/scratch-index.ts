import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { mkdirSync, removeFile } from "../state/index.ts";
import type { Repository } from "./repository.ts";

/** Lends the path of an index file that does not exist yet. Deletes the file, and git's lock of it, when `work` has ended. */
export async function withScratchIndex<Result>(repository: Repository, work: (indexFile: string) => Promise<Result>): Promise<Result> {
  const { scratch } = repository.layout;
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const indexFile = join(scratch, `index.${randomUUID()}`);
  try {
    return await work(indexFile);
  } finally {
    removeFile(indexFile);
    removeFile(`${indexFile}.lock`);
  }
}
