/** What any child may see of our own environment: enough to find programs, home and language, no secrets. */
const COMMON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LANGUAGE",
  "TZ",
  "TMPDIR",
  "TMP",
  "TEMP",
  "XDG_CACHE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
];

/**
 * The environment for a child: the common variables, those that `names` lets through (a trailing `*` matches
 * the rest of a name), then `fixed`. Nothing else of `parent` is passed on.
 */
export function childEnvironment(
  parent: Readonly<NodeJS.ProcessEnv>,
  names: readonly string[],
  fixed: Readonly<Record<string, string>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  const wanted = [...COMMON, "LC_*", ...names];
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined) continue;
    if (wanted.some((pattern) => (pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern))) result[name] = value;
  }
  return { ...result, ...fixed };
}
