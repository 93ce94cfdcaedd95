import { existsSync } from "node:fs";
import { join } from "node:path";
import { withMutex } from "../state/index.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";

/** Names of the keys in the repository's own configuration file, in lower case. No include is followed, nothing runs. */
export async function configKeys(repository: Repository): Promise<string[]> {
  const file = join(repository.commonDir, "config");
  if (!existsSync(file)) return [];
  const answer = await runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, "--list", "--name-only", "-z"] });
  return splitNul(answer.text).map((name) => name.toLowerCase());
}

/** The value of a key in the repository's own file; undefined where it is not set there. */
export async function configValue(repository: Repository, key: string): Promise<string | undefined> {
  const file = join(repository.commonDir, "config");
  const answer = await runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, "--get", key], answers: [0, 1] });
  return answer.code === 0 ? answer.text.trimEnd() : undefined;
}

/** Sets a key in the repository's own file. */
export async function setConfigValue(repository: Repository, key: string, value: string): Promise<void> {
  const file = join(repository.commonDir, "config");
  await withMutex(repository.layout.adminMutex, () =>
    runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, "--replace-all", key, value] }),
  );
}
