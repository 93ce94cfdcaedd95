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
  const wanted = [...COMMON, ...names];
  const plain = new Set(wanted.filter((name) => !name.endsWith("*")));
  const beginnings = ["LC_", ...wanted.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))];
  const passed = Object.entries(parent).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (plain.has(entry[0]) || beginnings.some((beginning) => entry[0].startsWith(beginning))),
  );
  return { ...Object.fromEntries(passed), ...fixed };
}
