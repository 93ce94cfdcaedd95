import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";

/** Names of the keys in the repository's own configuration file, in lower case. No include is followed, nothing runs. */
export async function configKeys(repository: Repository): Promise<string[]> {
  const file = join(repository.commonDir, "config");
  if (!existsSync(file)) return [];
  const answer = await runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, "--list", "--name-only", "-z"] });
  return splitNul(answer.text).map((name) => name.toLowerCase());
}
