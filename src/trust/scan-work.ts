import { hideSecrets, isSecretName, type SecretValue, secretsIn } from "../domain/index.ts";
import { addedText, cutOff, type Oid, type Repository, treeHoldsText } from "../git/index.ts";

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
  const found = new Set<string>();
  const unsure = new Map<SecretValue, Set<string>>();
  await addedText(repository, tip, known, ({ path, text }) => {
    const place = path === null ? "a commit's message or author" : hideSecrets(path, values);
    for (const what of secretsIn(text, [])) found.add(`${place} (${what})`);
    for (const value of values) if (text.includes(value.value)) unsure.set(value, (unsure.get(value) ?? new Set()).add(place));
  });
  for (const [{ name, value }, places] of unsure) {
    // What the project itself says already (a value of its example file, a plain word) is no secret.
    const [base] = known;
    if (base !== undefined && (await treeHoldsText(repository, base, value))) continue;
    for (const place of places) found.add(`${place} (the value of ${name})`);
  }
  return [...found];
}

/**
 * Returns why an uncommitted file must not be committed on an agent's behalf; undefined if it may be. The name alone
 * counts only for new files: a person let in the one that is tracked.
 */
export function secretInFile(path: string, text: string, values: readonly SecretValue[], tracked: boolean): string | undefined {
  const shown = hideSecrets(path, values);
  if (!tracked && isSecretName(path)) return `${shown} (by its name)`;
  const [what] = secretsIn(`${path}\n${text}`, values);
  return what === undefined ? undefined : `${shown} (${what})`;
}
