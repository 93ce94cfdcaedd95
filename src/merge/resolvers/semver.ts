type Version = { numbers: readonly [number, number, number]; early: readonly string[] };

/**
 * The higher of two versions that are both above the base; the changed one where only one changed. Undefined where a
 * side went below the base: then a person had a reason.
 */
export function higherVersion(base: string, ours: string, theirs: string): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  if (ours === base) return theirs;
  const [from, our, their] = [parseVersion(base), parseVersion(ours), parseVersion(theirs)];
  if (from === undefined || our === undefined || their === undefined) return undefined;
  if (compareVersions(our, from) < 0 || compareVersions(their, from) < 0) return undefined;
  return compareVersions(our, their) >= 0 ? ours : theirs;
}

function parseVersion(text: string): Version | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?$/.exec(text);
  if (found === null) return undefined;
  return { numbers: [Number(found[1]), Number(found[2]), Number(found[3])], early: found[4]?.split(".") ?? [] };
}

/** By the rules of Semantic Versioning: below 0, 0 or above 0. */
function compareVersions(one: Version, other: Version): number {
  const at = one.numbers.findIndex((number, n) => number !== other.numbers[n]);
  if (at >= 0) return (one.numbers[at] ?? 0) - (other.numbers[at] ?? 0);
  if (one.early.length === 0 || other.early.length === 0) return other.early.length - one.early.length;
  const part = one.early.findIndex((text, n) => text !== other.early[n]);
  if (part < 0) return one.early.length - other.early.length;
  return comparePart(one.early[part] ?? "", other.early[part]);
}

function comparePart(one: string, other: string | undefined): number {
  if (other === undefined) return 1;
  const [number, otherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
  if (number && otherNumber) return Number(one) - Number(other);
  if (number !== otherNumber) return number ? -1 : 1;
  return one < other ? -1 : 1;
}
