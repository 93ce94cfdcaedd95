import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Repository } from "../git/index.ts";
import type { FreshCheckout } from "./fresh-checkout.ts";
import { type InstallRequest, type InstallResult, installDependencies, runInstallScripts } from "./install.ts";
import { installParent } from "./project-environment.ts";

export type ProjectInstall = Omit<InstallRequest, "dir" | "parentEnv"> & {
  /** Packages whose install scripts run afterwards, and all that they see. */
  allowScripts: readonly string[];
  env: Readonly<Record<string, string>>;
};

/** Installs the dependencies of the project in a fresh checkout as its lockfile says, then runs the install scripts that may. */
export async function installProject(repository: Repository, checkout: FreshCheckout, request: ProjectInstall): Promise<InstallResult> {
  const { allowScripts, env, ...step } = request;
  const { parentEnv, root } = repository;
  const parent = installParent(parentEnv, checkout, root, userConfigOf(parentEnv["HOME"]));
  const installed = await installDependencies({ ...step, dir: checkout.dir, parentEnv: parent });
  if (installed.kind !== "installed" || allowScripts.length === 0 || request.signal?.aborted === true) return installed;
  const built = await runInstallScripts({ ...step, dir: checkout.dir, env }, allowScripts);
  return built.kind === "failed" ? built : installed;
}

function userConfigOf(home: string | undefined): string | undefined {
  const path = home === undefined ? undefined : join(home, ".npmrc");
  return path !== undefined && existsSync(path) ? path : undefined;
}
