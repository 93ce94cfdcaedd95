import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cleanText, GraftworkError, hideCredentials } from "../domain/index.ts";
import { lstatBelow, readBelow } from "../git/index.ts";
import { childEnvironment, runCommand } from "../subprocess/index.ts";
import { installExcerpt, installFault } from "./install-failure.ts";
import { SEALED, sealed } from "./installer-settings.ts";

export const NPM_QUIET = ["--no-audit", "--no-fund"] as const;
const NPM_CI = ["npm", "ci", "--ignore-scripts", ...NPM_QUIET, "--prefer-offline"] as const;

/**
 * No hard links into the user's store: what a task writes into an installed file would be written into every project
 * on the machine, and an install in one slot would change the files of all others.
 */
const PNPM_COPIES = ["--package-import-method=clone-or-copy"] as const;
const BUN_COPIES = ["--backend=copyfile"] as const;

/** How each package manager installs exactly what its lockfile says, running no script of a package or of the project. */
const MANAGERS = [
  { lockfile: "npm-shrinkwrap.json", argv: NPM_CI },
  { lockfile: "package-lock.json", argv: NPM_CI },
  {
    lockfile: "pnpm-lock.yaml",
    argv: ["pnpm", "install", "--frozen-lockfile", "--ignore-scripts", "--ignore-pnpmfile", "--prefer-offline", ...PNPM_COPIES],
  },
  { lockfile: "yarn.lock", argv: ["yarn", "install", "--frozen-lockfile", "--ignore-scripts", "--prefer-offline"] },
  { lockfile: "bun.lock", argv: ["bun", "install", "--frozen-lockfile", "--ignore-scripts", ...BUN_COPIES] },
  { lockfile: "bun.lockb", argv: ["bun", "install", "--frozen-lockfile", "--ignore-scripts", ...BUN_COPIES] },
] as const;

/** Yarn from version 2 on knows other options; its lock files begin with this. */
export const YARN_BERRY = { mark: /^__metadata:/m, argv: ["yarn", "install", "--immutable", "--mode=skip-build"] } as const;

const UNLOCKED = ["npm", "install", "--no-package-lock", "--ignore-scripts", ...NPM_QUIET, "--prefer-offline"] as const;

export type InstallPlan = { argv: readonly [string, ...string[]]; lockfile: string | null };

export type InstallResult =
  | { kind: "none"; reason: string }
  | { kind: "installed"; command: string; durationMs: number }
  /** `work`: the lockfile or manifest is at fault; `environment`: a missing tool, the registry, the disk. */
  | { kind: "failed"; fault: "work" | "environment"; command: string; reason: string; excerpt: string };

/** Returns the command that installs the dependencies of the project in `dir`; undefined if it has none. */
export function installPlan(dir: string): InstallPlan | undefined {
  const manifest = manifestOf(dir);
  if (manifest === undefined) return undefined;
  const manager = MANAGERS.find(({ lockfile }) => existsSync(join(dir, lockfile)));
  if (manager !== undefined) {
    const { lockfile } = manager;
    const berry = lockfile === "yarn.lock" && YARN_BERRY.mark.test(readBelow(dir, lockfile)?.toString("utf8") ?? "");
    return { argv: berry ? [...YARN_BERRY.argv] : [...manager.argv], lockfile };
  }
  const wanted = ["dependencies", "devDependencies", "optionalDependencies", "workspaces"].some(
    (key) => Object.keys(manifest[key] ?? {}).length > 0,
  );
  return wanted ? { argv: [...UNLOCKED], lockfile: null } : undefined;
}

/** Returns the package manager that a folder's lockfiles choose; undefined if it has no lockfile. */
export function packageManagerOf(has: (lockfile: string) => boolean): string | undefined {
  return MANAGERS.find(({ lockfile }) => has(lockfile))?.argv[0];
}

/** Names of the lockfiles that choose a package manager. */
export const LOCKFILES: readonly string[] = MANAGERS.map(({ lockfile }) => lockfile);

/** Returns a digest of everything that an install in `dir` depends on; null if there is nothing to install. */
export function dependencyKey(dir: string): string | null {
  const plan = installPlan(dir);
  if (plan === undefined) return null;
  const hash = createHash("sha256").update(plan.argv.join(" "));
  for (const name of ["package.json", plan.lockfile, ".npmrc"]) {
    const bytes = name === null ? undefined : readBelow(dir, name);
    if (bytes !== undefined) hash.update(`\0${name}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Returns a digest that changes when npm installs or removes anything in `dir`. Null if npm left no record. */
export function installedStamp(dir: string): string | null {
  const record = "node_modules/.package-lock.json";
  // What a link leads to is not what npm put there.
  const hidden = lstatBelow(dir, record) === undefined ? undefined : readBelow(dir, record);
  return hidden === undefined ? null : createHash("sha256").update(hidden).digest("hex").slice(0, 32);
}

export type InstallRequest = {
  dir: string;
  parentEnv: Readonly<NodeJS.ProcessEnv>;
  /** Added to the environment: the markers by which a stray process is found. */
  markers: Readonly<Record<string, string>>;
  timeoutMs: number;
  signal?: AbortSignal;
  onOutput?: (chunk: Buffer) => void;
};

/** Registry and proxy settings reach the install, nothing else of our environment does. */
const PASSED = [
  "npm_config_*",
  "NPM_CONFIG_*",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "COREPACK_*",
];

/** Set by an `npx graftwork` or `npm run` around us: they say where that npm worked, or would change what is installed. */
const NOT_PASSED =
  /^npm_config_(?:prefix|local_prefix|global|global_prefix|location|force|workspaces?|include_workspace_root|omit|only|include|production|dev|dry_run|package_lock_only|ignore_scripts|script_shell|node_options|git|init_.*|yes|call|package)$/i;

const FIXED = { CI: "1", YARN_ENABLE_SCRIPTS: "0", ...SEALED } as const;

/** What a program that installs may see of our environment: the common variables, registries and proxies. */
export function registryEnvironment(parentEnv: Readonly<NodeJS.ProcessEnv>): Record<string, string> {
  const env = childEnvironment(parentEnv, PASSED, {});
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_PASSED.test(name)));
}

function installEnvironment(request: InstallRequest): Record<string, string> {
  return { ...registryEnvironment(request.parentEnv), ...FIXED, ...request.markers };
}

/** Installs the dependencies of `dir` as its lockfile says. A failure is a value: the caller knows what it means. */
export async function installDependencies(request: InstallRequest): Promise<InstallResult> {
  const plan = planOrRefusal(request.dir);
  if (plan !== undefined && "kind" in plan) return plan;
  if (plan === undefined) return { kind: "none", reason: "the project has no package.json with dependencies" };
  return runInstall(request, plan.argv);
}

/** A manifest that is no regular file is the work's fault. */
function planOrRefusal(dir: string): ReturnType<typeof installPlan> | Extract<InstallResult, { kind: "failed" }> {
  try {
    return installPlan(dir);
  } catch (error) {
    if (!(error instanceof GraftworkError) || error.code !== "FILE_REFUSED") throw error;
    return { kind: "failed", fault: "work", command: "install", reason: `${error.message} ${error.because}`, excerpt: "" };
  }
}

/** Runs a package manager in `dir` with what it may see of our environment. */
export async function runInstall(request: InstallRequest, argv: readonly [string, ...string[]]): Promise<InstallResult> {
  return run(request, argv, installEnvironment(request));
}

/**
 * Runs the install scripts of these packages, which the installation left out. They are code from outside: `env` is
 * all that they see.
 */
export async function runInstallScripts(
  request: Omit<InstallRequest, "parentEnv" | "markers"> & { env: Readonly<Record<string, string>> },
  packages: readonly string[],
): Promise<InstallResult> {
  const manager = installPlan(request.dir)?.argv[0] ?? "npm";
  const argv: readonly [string, ...string[]] =
    manager === "pnpm"
      ? ["pnpm", "rebuild", ...packages]
      : ["npm", "rebuild", "--ignore-scripts=false", "--foreground-scripts", ...packages];
  if (manager === "npm" || manager === "pnpm") return run(request, argv, { ...request.env, ...SEALED });
  return {
    kind: "failed",
    fault: "environment",
    command: `${manager} install`,
    reason: `install scripts of single packages (\`qa.allow_scripts\`) work with npm and pnpm, not with ${manager}`,
    excerpt: "",
  };
}

async function run(
  request: Pick<InstallRequest, "dir" | "timeoutMs" | "signal" | "onOutput">,
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<InstallResult> {
  const command = argv.join(" ");
  const failed = (fault: "work" | "environment", how: string, excerpt: string): InstallResult => ({
    kind: "failed",
    fault,
    command,
    reason: `\`${command}\` ${how}`,
    excerpt,
  });
  const end = await runCommand({
    argv: sealed(argv),
    cwd: request.dir,
    env,
    timeoutMs: request.timeoutMs,
    keepBytes: 1024 * 1024,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    onOutput: (chunk) => request.onOutput?.(chunk),
  });
  if (end.notStarted !== null) return failed("environment", `could not be started (${end.notStarted})`, "");
  if (end.code === 0) return { kind: "installed", command, durationMs: end.durationMs };
  const said = cleanText(hideCredentials(`${end.stdout.toString("utf8")}\n${end.stderr.toString("utf8")}`));
  const excerpt = installExcerpt(said);
  if (end.ended !== "exited") return failed("environment", `was ended (${end.ended})`, excerpt);
  return failed(installFault(said), `failed (exit code ${end.code ?? end.signal})`, excerpt);
}

function manifestOf(dir: string): Record<string, object> | undefined {
  const bytes = readBelow(dir, "package.json");
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8")) as Record<string, object>;
  } catch {
    // npm says what is wrong with it better than we could.
    return { dependencies: { unreadable: "*" } };
  }
}
