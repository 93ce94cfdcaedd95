import { setImmediate } from "node:timers/promises";
import { hideSecrets, isSecretName, partsOf, type SecretValue, secretHits } from "../domain/index.ts";
import { addedText, cutOff, type Oid, type Repository, textsInTree } from "../git/index.ts";

/** What is to be looked through. */
export type Scan = {
  tip: Oid;
  /** Commits whose content is known, the newest first: the target, and where the work began. */
  known: readonly Oid[];
  /** Values of the files that slots get a copy of. */
  values: readonly SecretValue[];
};

/**
 * Which secrets work holds, a line each: `k.txt (what looks like an AWS access key)`. No value is repeated. Commits that
 * cannot be looked through are named too.
 */
export async function secretsInWork(repository: Repository, { tip, known, values }: Scan): Promise<string[]> {
  const cut = await cutOff(repository, tip, known);
  if (cut !== undefined) return [`its commits behind ${cut.slice(0, 12)}, which .git/shallow cuts off`];
  const search = searchFor(values);
  await addedText(repository, tip, known, ({ path, text }) => search.look(path ?? "a commit's message, author or header", text));
  return search.found(repository, known[0]);
}

/** An uncommitted file. `tracked`: the base has a file with this path. */
export type LooseFile = { path: string; text: string; tracked: boolean };

/**
 * Returns why graftwork must not commit these files for an agent, a line each. A suspicious name counts only for a new file:
 * a tracked one is there already.
 */
export async function secretsInFiles(
  repository: Repository,
  files: Iterable<LooseFile>,
  { base, values }: { base: Oid; values: readonly SecretValue[] },
): Promise<string[]> {
  const search = searchFor(values);
  const byName: string[] = [];
  for (const { path, text, tracked } of files) {
    if (!tracked && isSecretName(path)) byName.push(`${hideSecrets(path, values)} (by its name)`);
    else
      for (const part of partsOf(`${path}\n${text}`)) {
        search.look(path, part);
        await setImmediate();
      }
  }
  return [...byName, ...(await search.found(repository, base))];
}

/** Limit of secrets that are compared with the project's files. */
const COMPARED = 1_000;

/** Collects the secrets in texts. A value that the project already contains (a test's made-up key, an example) does not count. */
function searchFor(values: readonly SecretValue[]) {
  const found = new Set<string>();
  const unsure = new Map<string, Set<string>>();
  return {
    look(path: string, text: string): void {
      const hits = secretHits(text, values);
      const place = hits.length === 0 ? "" : hideSecrets(path, values);
      for (const { what, secret } of hits) {
        const line = `${place} (${what})`;
        if (secret === null || (unsure.size >= COMPARED && !unsure.has(secret))) found.add(line);
        else unsure.set(secret, (unsure.get(secret) ?? new Set()).add(line));
      }
    },
    async found(repository: Repository, base: Oid | undefined): Promise<string[]> {
      const own = base === undefined ? new Set() : await textsInTree(repository, base, [...unsure.keys()]);
      for (const [secret, lines] of unsure) if (!own.has(secret)) for (const line of lines) found.add(line);
      return [...found];
    },
  };
}
