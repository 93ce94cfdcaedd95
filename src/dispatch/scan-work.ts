import { isSecretName, type SecretValue, secretsIn } from "../domain/index.ts";
import { addedText, type Oid, type Repository, treeHoldsText } from "../git/index.ts";

/** What is to be scanned of an attempt. */
export type Scan = {
  tip: Oid;
  /** Commits whose content is known: where the work began, and the target. */
  known: readonly Oid[];
  /** Values of the files that were copied into the slot. */
  values: readonly SecretValue[];
};

/** Which secrets an attempt's commits hold, a line each: `k.txt (what looks like an AWS access key)`. No value is repeated. */
export async function secretsInWork(repository: Repository, { tip, known, values }: Scan): Promise<string[]> {
  const added = await addedText(repository, tip, known);
  const all = added.map(({ text }) => text).join("\n");
  if (secretsIn(all, values).length === 0) return [];
  const fresh = await unknownValues(
    repository,
    known,
    values.filter(({ value }) => all.includes(value)),
  );
  const found = added.flatMap(({ path, text }) => secretsIn(text, fresh).map((what) => `${path ?? "a commit's message"} (${what})`));
  return [...new Set(found)];
}

/** What the project itself says already (a value of its example file, a plain word) is no secret. */
async function unknownValues(repository: Repository, known: readonly Oid[], values: readonly SecretValue[]): Promise<SecretValue[]> {
  const [base] = known;
  const isKnown = await Promise.all(values.map(async ({ value }) => base !== undefined && (await treeHoldsText(repository, base, value))));
  return values.filter((_, index) => isKnown[index] !== true);
}

/** Returns why an uncommitted file must not be committed on an agent's behalf; undefined if it may be. The name alone
 * counts only for new files: a person let in the one that is tracked. */
export function secretInFile(path: string, text: string, values: readonly SecretValue[], tracked: boolean): string | undefined {
  if (!tracked && isSecretName(path)) return `${path} (by its name)`;
  const [what] = secretsIn(text, values);
  return what === undefined ? undefined : `${path} (${what})`;
}
