import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanText, tailLines } from "../domain/index.ts";
import { childEnvironment, runCommand } from "../subprocess/index.ts";

/** How each package manager installs exactly what its lockfile says, running no install script. */
const MANAGERS = [
  { lockfile: "package-lock.json", argv: ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"] },
  { lockfile: "npm-shrinkwrap.json", argv: ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"] },
  { lockfile: "pnpm-lock.yaml", argv: ["pnpm", "install", "--frozen-lockfile", "--ignore-scripts", "--prefer-offline"] },
  { lockfile: "yarn.lock", argv: ["yarn", "install", "--frozen-lockfile", "--ignore-scripts", "--prefer-offline"] },
  { lockfile: "bun.lock", argv: ["bun", "install", "--frozen-lockfile", "--ignore-scripts"] },
] as const;

const UNLOCKED = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"] as const;

export type InstallPlan = { argv: readonly [string, ...string[]]; lockfile: string | null };

export type InstallResult =
  | { kind: "none"; reason: string }
  | { kind: "installed"; command: string; durationMs: number }
  /** `work`: the lockfile or manifest is at fault; `environment`: a missing tool, the registry, the disk. */
  | { kind: "failed"; fault: "work" | "environment"; command: string; reason: string; excerpt: string };

/** Which command installs the dependencies of the project in `dir`; undefined where it has none. */
export function installPlan(dir: string): InstallPlan | undefined {
  const manifest = manifestOf(dir);
  if (manifest === undefined) return undefined;
  const manager = MANAGERS.find(({ lockfile }) => existsSync(join(dir, lockfile)));
  if (manager !== undefined) return { argv: [...manager.argv], lockfile: manager.lockfile };
  const wanted = ["dependencies", "devDependencies", "optionalDependencies", "workspaces"].some((key) => Object.keys(manifest[key] ?? {}).length > 0);
  return wanted ? { argv: [...UNLOCKED], lockfile: null } : undefined;
}

/** What an install in `dir` depends on, as a digest; null where there is nothing to install. */
export function dependencyKey(dir: string): string | null {
  const plan = installPlan(dir);
  if (plan === undefined) return null;
  const hash = createHash("sha256").update(plan.argv.join(" "));
  for (const name of ["package.json", plan.lockfile, ".npmrc"]) {
    if (name !== null && existsSync(join(dir, name))) hash.update(`\0${name}\0`).update(readFileSync(join(dir, name)));
  }
  return hash.digest("hex").slice(0, 32);
}

/** Whose files npm wrote: changes when anything was installed or removed since. Null where it cannot be told. */
export function installedStamp(dir: string): string | null {
  const hidden = join(dir, "node_modules", ".package-lock.json");
  return existsSync(hidden) ? createHash("sha256").update(readFileSync(hidden)).digest("hex").slice(0, 32) : null;
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

/** npm's registry settings reach the install, nothing else of our environment does. */
const PASSED = ["npm_config_*", "NPM_CONFIG_*", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "COREPACK_*"];

/** What npm says when the fault is not the work's. */
const ENVIRONMENT = /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET|ENOSPC|EACCES|E401|E403|E5\d\d|network|ENETUNREACH|UNABLE_TO_GET_ISSUER|CERT_)/;

/** Installs the dependencies of `dir` as its lockfile says. A failure is a value: the caller knows what it means. */
export async function installDependencies(request: InstallRequest): Promise<InstallResult> {
  const plan = installPlan(request.dir);
  if (plan === undefined) return { kind: "none", reason: "the project has no package.json with dependencies" };
  const command = plan.argv.join(" ");
  const env = childEnvironment(request.parentEnv, PASSED, { ...request.markers, CI: "1", npm_config_update_notifier: "false", npm_config_script_shell: "/bin/sh" });
  const end = await runCommand({
    argv: plan.argv,
    cwd: request.dir,
    env,
    timeoutMs: request.timeoutMs,
    keepBytes: 1024 * 1024,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    onOutput: (chunk) => request.onOutput?.(chunk),
  });
  if (end.notStarted !== null) return { kind: "failed", fault: "environment", command, reason: `${plan.argv[0]} could not be started (${end.notStarted})`, excerpt: "" };
  if (end.code === 0) return { kind: "installed", command, durationMs: end.durationMs };
  const said = cleanText(`${end.stdout.toString("utf8")}\n${end.stderr.toString("utf8")}`);
  const how = end.ended === "exited" ? `exit code ${end.code ?? end.signal}` : end.ended;
  const fault = end.ended !== "exited" || ENVIRONMENT.test(said) ? "environment" : "work";
  return { kind: "failed", fault, command, reason: `\`${command}\` failed (${how})`, excerpt: tailLines(said, 15) };
}

function manifestOf(dir: string): Record<string, object> | undefined {
  const path = join(dir, "package.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, object>;
  } catch {
    // npm says what is wrong with it better than we could.
    return { dependencies: { unreadable: "*" } };
  }
}
