/**
 * Install scripts are off, and a package that builds something in one fails later, in whatever uses it. A heuristic:
 * the output speaks of something built and names a package that has such a script.
 */
export function missingProductOf(output: string, lockfile: string | undefined, allowed: readonly string[]): string | undefined {
  if (lockfile === undefined || !BUILT.test(output)) return undefined;
  return scriptedPackages(lockfile)
    .filter((name) => !allowed.includes(name))
    .sort((a, b) => b.length - a.length)
    .find((name) => names(output, name));
}

const BUILT =
  /bindings file|\.node\b|build\/Release|prebuilds?\b|node-gyp|install script|postinstall|npm rebuild|native (?:binding|module|addon)|binary (?:was )?not found|failed to install correctly/i;

function names(output: string, name: string): boolean {
  const at = output.indexOf(name);
  if (at < 0) return false;
  const escaped = name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return new RegExp(`(?:^|[^\\w@./-]|node_modules/)${escaped}(?![\\w-])`, "m").test(output);
}

/** Names of the packages of a package-lock.json (version 2 or 3) that npm marks as having an install script. */
export function scriptedPackages(lockfile: string): string[] {
  try {
    const { packages }: { packages?: Record<string, { hasInstallScript?: boolean } | null> } = JSON.parse(lockfile);
    const scripted = Object.entries(packages ?? {}).filter(([path, entry]) => path !== "" && entry?.hasInstallScript === true);
    return [...new Set(scripted.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)))];
  } catch {
    return [];
  }
}
