import { basename } from "node:path";

/** The versions that a lockfile holds of each package. */
export type LockedVersions = ReadonlyMap<string, ReadonlySet<string>>;

/** Reads which versions a lockfile of npm, pnpm or yarn locks; undefined where it cannot be read as one. */
export function lockedVersions(path: string, text: string): LockedVersions | undefined {
  const found = new Map<string, Set<string>>();
  const add = (name: string, version: string): void => {
    found.set(name, (found.get(name) ?? new Set()).add(version));
  };
  if (basename(path).endsWith(".json")) {
    if (!readNpm(text, add)) return undefined;
  } else if (basename(path) === "pnpm-lock.yaml") readPnpm(text, add);
  else readYarn(text, add);
  return found;
}

type Add = (name: string, version: string) => void;

function readNpm(text: string, add: Add): boolean {
  try {
    const { packages, dependencies } = JSON.parse(text) as { packages?: NpmEntries; dependencies?: NpmEntries };
    for (const [place, { version, resolved }] of Object.entries(packages ?? {})) {
      const name = place.split("node_modules/").at(-1) ?? "";
      if (place.includes("node_modules/")) add(name, version ?? resolved ?? "");
    }
    if (packages === undefined) readNpmTree(dependencies ?? {}, add);
    return true;
  } catch {
    return false;
  }
}

type NpmEntries = Record<string, { version?: string; resolved?: string; dependencies?: NpmEntries }>;

/** The form of npm 6 and before. */
function readNpmTree(entries: NpmEntries, add: Add): void {
  for (const [name, { version, dependencies }] of Object.entries(entries)) {
    add(name, version ?? "");
    readNpmTree(dependencies ?? {}, add);
  }
}

/** Keys of `packages:` such as `'@scope/name@1.2.3(peer@1.0.0)':`, with a leading slash in older versions. */
function readPnpm(text: string, add: Add): void {
  const from = text.search(/^packages:/m);
  const section = from < 0 ? "" : text.slice(from).replace(/\n(?=\S)(?!packages:)[\s\S]*$/, "");
  for (const [, name = "", version = ""] of section.matchAll(/^ {2}['"]?\/?((?:@[^@/\s]+\/)?[^@/\s]+)[@/]([^('":\s]+)/gm))
    add(name, version);
}

/** Blocks of yarn 1 (`name@range, name@range:` and `  version "1.2.3"`) and later (`"name@npm:range":`, `  version: 1.2.3`). */
function readYarn(text: string, add: Add): void {
  for (const [, name = "", version = ""] of text.matchAll(
    /^"?((?:@[^@/\s"]+\/)?[^@\s"#]+)@[^\n]*:\n(?:[ \t]+[^\n]*\n)*? {2}version:? "?([^"\n]+)"?$/gm,
  ))
    add(name, version);
}

/**
 * What speaks against a lockfile that was made anew: a package that neither side's diff names and that changed, or a
 * version that no side had locked. Empty where nothing does.
 */
export function lockDrift(base: LockedVersions, ours: LockedVersions, theirs: LockedVersions, merged: LockedVersions): string[] {
  const all = new Set([...base.keys(), ...ours.keys(), ...theirs.keys(), ...merged.keys()]);
  return [...all].flatMap((name) => {
    const of = (side: LockedVersions): ReadonlySet<string> => side.get(name) ?? new Set();
    const now = of(merged);
    if (same(of(base), of(ours)) && same(of(base), of(theirs)))
      return same(of(base), now) ? [] : [`${name} changed, and neither side had changed it`];
    const known = new Set([base, ours, theirs].flatMap((side) => [...of(side)]));
    return [...now].filter((version) => !known.has(version)).map((version) => `${name} ${version} was locked by neither side`);
  });
}

function same(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((value) => other.has(value));
}
