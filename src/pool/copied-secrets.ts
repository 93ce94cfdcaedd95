import { type SecretValue, secretValuesOf, systemCode } from "../domain/index.ts";
import { readBelow } from "../git/index.ts";
import type { PoolContext } from "./context.ts";
import { wantedFiles } from "./copy-files.ts";

/** Names of files that hold variables: `.env`, `.env.local`, `prod.env`, `.envrc`, `secrets.ini`. */
const HOLDS_VARIABLES = /(?:^|\/)[^/]*(?:env|secret|credential)[^/]*$/i;
const READ_AT_MOST = 2 ** 20;

/** The secret values in files of the main worktree that every slot gets a copy of. */
export function copiedSecrets(context: Pick<PoolContext, "repository" | "settings">): SecretValue[] {
  const { root } = context.repository;
  const found = wantedFiles(context)
    .filter((path) => HOLDS_VARIABLES.test(path))
    .flatMap((path) => secretValuesOf(textOf(root, path)));
  return [...new Map(found.map((one) => [one.value, one])).values()];
}

function textOf(root: string, path: string): string {
  try {
    return readBelow(root, path, READ_AT_MOST)?.toString("utf8") ?? "";
  } catch (error) {
    // What may not be read was not copied either, or is too large to be a list of variables.
    if (systemCode(error) === undefined && !(error instanceof Error)) throw error;
    return "";
  }
}
