/**
 * Variables that keep an install in its folder and let it run no program that the project chooses. For npm, pnpm and yarn 1
 * the environment overrides the project's files.
 */
export const SEALED = {
  npm_config_update_notifier: "false",
  npm_config_global: "false",
  npm_config_location: "project",
  npm_config_force: "false",
  npm_config_script_shell: "/bin/sh",
  npm_config_node_options: " ",
  npm_config_git: "git",
  npm_config_logs_max: "0",
  // Else corepack loads the project's settings and runs a file from any URL, and pnpm downloads another version of itself.
  COREPACK_ENV_FILE: "0",
  COREPACK_ENABLE_UNSAFE_CUSTOM_URLS: "0",
  npm_config_manage_package_manager_versions: "false",
  pnpm_config_manage_package_manager_versions: "false",
  YARN_IGNORE_PATH: "1",
  YARN_ENABLE_TELEMETRY: "0",
  // Else yarn may hard-link files from its cache, and a task that writes into one changes it for all projects.
  YARN_NM_MODE: "classic",
} as const;

/** The same as options: the command line overrides both files and environment. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  npm: ["--global=false", "--location=project", "--force=false", "--script-shell=/bin/sh", "--git=git"],
  pnpm: [
    "--config.global=false",
    "--config.ignore-pnpmfile=true",
    "--config.script-shell=/bin/sh",
    "--config.modules-dir=node_modules",
    "--config.virtual-store-dir=node_modules/.pnpm",
  ],
  "yarn 1": ["--modules-folder=node_modules"],
};

/** Returns the command with options that keep it in its folder. */
export function sealed([program, ...words]: readonly [string, ...string[]]): readonly [string, ...string[]] {
  // Later versions of yarn have no such option.
  const isFirstYarn = program === "yarn" && words.includes("--ignore-scripts");
  return [program, ...words, ...(OPTIONS[isFirstYarn ? "yarn 1" : program] ?? [])];
}

/** An installer's settings file. `isPlain`: true for a line that runs no code and names no other place. */
export type SettingsFile = { path: string; purpose: string; isPlain: (line: string) => boolean };

const NPM_KEYS = words(
  `always-auth audit auto-install-peers before ca cafile cert color dedupe-peer-dependents dev email engine-strict
  fetch-retries fetch-retry-factor fetch-retry-maxtimeout fetch-retry-mintimeout fetch-timeout force foreground-scripts
  frozen-lockfile fund hoist hoist-pattern https-proxy ignore-scripts ignore-workspace-root-check include
  include-workspace-root install-links install-strategy key legacy-bundling legacy-peer-deps link-workspace-packages
  lockfile lockfile-version loglevel maxsockets min-release-age minimum-release-age network-concurrency network-timeout
  no-proxy node-linker noproxy omit omit-lockfile-registry-resolved only optional package-lock package-manager-strict
  package-manager-strict-version prefer-dedupe prefer-frozen-lockfile prefer-offline prefer-online
  prefer-workspace-packages production progress provenance proxy public-hoist-pattern registry replace-registry-host
  resolution-mode resolve-peers-from-workspace-root save-exact save-prefix save-workspace-protocol shamefully-hoist
  shared-workspace-lockfile shrinkwrap side-effects-cache strict-peer-dependencies strict-peer-deps strict-ssl tag
  tag-version-prefix update-notifier workspace-concurrency workspaces-update`,
);

/**
 * True for `key = value`, `@scope:registry = value` and a registry's own keys, such as `//host/:_authToken = value`. A value with
 * `$` is not plain: npm would send a variable of the user's environment to that registry.
 */
function isNpmLine(line: string): boolean {
  const [, key = ""] = /^\s*([^\s="'[\]$\\;#]+)\s*=[^\n$]*$/.exec(line) ?? [];
  if (NPM_KEYS.has(key)) return true;
  return /^@[\w.~-]+:registry$|^\/\/[\w.:/@~-]+:(?:_authToken|_auth|_password|username|email|always-auth)$/.test(key);
}

const YARN_CLASSIC_KEYS = words(
  `disable-self-update-check lastUpdateCheck network-concurrency network-timeout registry save-prefix strict-ssl
  version-git-message version-tag-prefix yarn-path`,
);

const YARN_KEYS = words(
  `checksumBehavior compressionLevel defaultSemverRangePrefix enableColors enableGlobalCache enableHyperlinks
  enableImmutableInstalls enableInlineBuilds enableMessageNames enableProgressBars enableScripts enableTelemetry
  enableTimers enableTransparentWorkspaces httpRetry httpTimeout networkConcurrency nmHoistingLimits
  nmMode nmSelfReferences nodeLinker npmAlwaysAuth npmMinimalAgeGate npmPublishAccess npmRegistryServer pnpFallbackMode
  pnpMode preferDeferredVersions preferInteractive preferReuse preferTruncatedLines tsEnableAutoTypes yarnPath`,
);

const BUN_KEYS = words(
  `coverage coverageReporter coverageSkipTestFiles coverageThreshold dev dryRun exact frozenLockfile hoist linker
  minimumReleaseAge optional peer print production registry save saveTextLockfile smol telemetry timeout`,
);

const PNPM_KEYS = words(
  `allowBuilds allowedDeprecatedVersions auditConfig autoInstallPeers blockExoticSubdeps catalog catalogMode catalogs
  cleanupUnusedCatalogs dedupePeerDependents engineStrict hoist hoistPattern ignoreScripts ignoredBuiltDependencies
  ignoredOptionalDependencies injectWorkspacePackages linkWorkspacePackages minimumReleaseAge minimumReleaseAgeExclude
  neverBuiltDependencies nodeLinker onlyBuiltDependencies overrides packageExtensions packages patchedDependencies
  peerDependencyRules preferWorkspacePackages publicHoistPattern registries registry resolutionMode savePrefix
  saveWorkspaceProtocol shamefullyHoist sharedWorkspaceLockfile strictDepBuilds strictPeerDependencies
  supportedArchitectures trustPolicy updateConfig verifyDepsBeforeRun`,
);

/** Returns a test for lines of one plain key and one plain value, which every YAML or TOML parser reads alike. */
const plainLine = (keys: ReadonlySet<string>, between: RegExp) => {
  const line = new RegExp(`^(\\w[\\w-]*)${between.source}("[^"\\\\$]*"|'[^'\\\\$]*'|[\\w@^~./:-]+)\\s*(?:#.*)?$`);
  return (text: string): boolean => keys.has(line.exec(text)?.[1] ?? "");
};

const isYarnLine = plainLine(YARN_KEYS, /: +/);
const isYarnClassicLine = plainLine(YARN_CLASSIC_KEYS, / +/);
const isBunLine = plainLine(BUN_KEYS, / *= */);

/** Settings files at the top of a project. The user is asked about every line that is not plain. */
export const SETTINGS_FILES: readonly SettingsFile[] = [
  { path: ".npmrc", purpose: "settings that installers obey", isPlain: isNpmLine },
  {
    path: ".yarnrc",
    purpose: "settings that yarn obeys",
    isPlain: (line) => isYarnClassicLine(line.replace(/^"([\w-]+)"(?= )/, "$1")),
  },
  { path: ".yarnrc.yml", purpose: "settings of yarn, which can name plugins that it runs while it installs", isPlain: isYarnLine },
  {
    path: "bunfig.toml",
    purpose: "settings of bun, which can name a scanner that it runs while it installs",
    isPlain: (line) => /^\[(?:install|install\.lockfile|test)\]\s*$/.test(line) || isBunLine(line),
  },
  {
    path: "pnpm-workspace.yaml",
    purpose: "settings that pnpm obeys",
    // An indented line, or an item of a list, belongs to the key above it.
    isPlain: (line) => /^(?: |- )/.test(line) || PNPM_KEYS.has(/^(\w+):(?: |$)/.exec(line)?.[1] ?? ""),
  },
];

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}
