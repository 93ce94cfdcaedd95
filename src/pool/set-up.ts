import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { dependencyKey, installDependencies, installerCode, packageManagerOf, registryEnvironment } from "../checkout/index.ts";
import { argvOf, cleanText, commandText, hideCredentials, humanDuration, tailLines } from "../domain/index.ts";
import { lstatBelow, readBelow } from "../git/index.ts";
import { runCommand } from "../subprocess/index.ts";
import { INSTALL_TIMEOUT_MS, type PoolContext } from "./context.ts";

type Slot = { id: string; path: string };

/** Files at the top of a project that say what it depends on; commands of the user's own may read any of them. */
const MANIFESTS =
  /^(?:package\.json|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|bun\.lockb?|\.npmrc|deno\.(?:jsonc?|lock)|requirements.*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|poetry\.lock|pdm\.lock|uv\.lock|Pipfile(?:\.lock)?|environment\.ya?ml|Cargo\.(?:toml|lock)|rust-toolchain(?:\.toml)?|go\.(?:mod|sum|work)|pom\.xml|build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|gradle\.lockfile|build\.sbt|Gemfile(?:\.lock)?|composer\.(?:json|lock)|[^/]+\.(?:cs|fs|vb)proj|packages\.lock\.json|global\.json|pubspec\.(?:yaml|lock)|mix\.(?:exs|lock)|stack\.yaml(?:\.lock)?|cabal\.project(?:\.freeze)?|[^/]+\.cabal|Package\.(?:swift|resolved)|Podfile(?:\.lock)?|\.terraform\.lock\.hcl|\.tool-versions|\.nvmrc|\.python-version|mise\.toml)$/;

/** What the set-up of a slot depends on, as a digest; null where there is nothing to set up. */
export function setUpKey({ settings }: PoolContext, slot: Slot): string | null {
  if (settings.setup === "none") return null;
  if (settings.setup === "auto") return dependencyKey(slot.path);
  const hash = createHash("sha256").update(JSON.stringify([settings.setup, settings.env]));
  for (const name of readdirSync(slot.path).sort())
    if (MANIFESTS.test(name) && lstatBelow(slot.path, name)?.isFile() === true)
      hash.update(`\0${name}\0`).update(readBelow(slot.path, name) ?? "");
  return hash.digest("hex").slice(0, 32);
}

/** Why a set-up failed, with the last lines of its output. `byWork`: a file in the slot is the cause, such as a broken lockfile. */
export type SetUpFailure = { text: string; byWork: boolean };

/** Sets a slot up as the configuration says. Returns the failure, or null after success. */
export async function setUp(context: PoolContext, slot: Slot): Promise<SetUpFailure | null> {
  const { setup } = context.settings;
  if (setup === "none") return null;
  const foreign = foreignInstaller(context, slot);
  if (foreign !== undefined) return { text: foreign, byWork: true };
  if (setup === "auto") return install(context, slot);
  for (const command of setup) {
    const failed = await run(context, slot, command);
    if (failed !== null) return { text: failed, byWork: false };
  }
  return null;
}

/**
 * Returns why nothing may be installed in a slot: its branch has installer settings that the user was not asked about, or
 * another package manager than the user's checkout. Stops the user's own set-up commands too, since most of them install.
 */
function foreignInstaller({ repository: { root }, settings }: PoolContext, slot: Slot): string | undefined {
  if (settings.setup === "none") return undefined;
  const known = new Map(installerCode(root).map(({ key, text }) => [key, text]));
  const foreign = installerCode(slot.path).find(({ key, text }) => known.get(key) !== text);
  const [mine, its] = [root, slot.path].map((dir) => packageManagerOf((name) => lstatBelow(dir, name) !== undefined));
  const isOther = mine !== undefined && its !== undefined && mine !== its;
  const what = foreign?.key ?? (isOther ? `lockfile of ${its}` : undefined);
  return what === undefined ? undefined : `nothing is installed: the branch has its own ${what}, which your checkout has not`;
}

async function install({ repository }: PoolContext, slot: Slot): Promise<SetUpFailure | null> {
  const result = await installDependencies({
    dir: slot.path,
    parentEnv: repository.parentEnv,
    markers: { GRAFTWORK_SLOT_PATH: slot.path },
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  if (result.kind !== "failed") return null;
  return { text: `${result.reason}\n${result.excerpt}`.trim(), byWork: result.fault === "work" };
}

async function run(
  { repository, settings }: PoolContext,
  slot: Slot,
  command: string | readonly [string, ...string[]],
): Promise<string | null> {
  const end = await runCommand({
    argv: argvOf(command),
    cwd: slot.path,
    env: {
      ...registryEnvironment(repository.parentEnv),
      ...settings.env,
      GRAFTWORK_SLOT: slot.id,
      // By this what a command leaves behind is found when the slot is released.
      GRAFTWORK_SLOT_PATH: slot.path,
    },
    timeoutMs: INSTALL_TIMEOUT_MS,
    keepBytes: 1024 * 1024,
  });
  const name = `\`${commandText(command)}\``;
  if (end.notStarted !== null) return `${name} could not be started (${end.notStarted})`;
  if (end.ended === "exited" && end.code === 0) return null;
  const how =
    end.ended === "timeout"
      ? `was ended after ${humanDuration(INSTALL_TIMEOUT_MS)}`
      : `failed (${end.code === null ? `ended by ${end.signal}` : `exit code ${end.code}`})`;
  const said = tailLines(cleanText(hideCredentials(`${end.stdout.toString("utf8")}\n${end.stderr.toString("utf8")}`)), 20);
  return `${name} ${how}\n${said}`.trim();
}
