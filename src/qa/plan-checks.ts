import { type Check, checkOf, emptyCommandProblem, type JudgedCheck } from "../domain/index.ts";
import { listPaths, type Oid, type Repository, readFileAt } from "../git/index.ts";
import type { QaContext } from "./context.ts";

const SCRIPTS = ["typecheck", "lint", "test", "build"] as const;

/** What `npm init` writes: a script that says there is none. */
const NO_TEST = /no test specified/;

const RUNNERS = [
  { lockfile: "pnpm-lock.yaml", program: "pnpm" },
  { lockfile: "yarn.lock", program: "yarn" },
  { lockfile: "bun.lock", program: "bun" },
  { lockfile: "bun.lockb", program: "bun" },
] as const;

/**
 * Returns the checks of one request, in order. The caller decides; the defaults that it is given are the checks of the
 * configuration, else the package scripts of the base.
 */
export async function planChecks(
  context: QaContext,
  { tasks, earlier, base }: { tasks: readonly string[]; earlier: readonly string[]; base: Oid },
): Promise<readonly JudgedCheck[]> {
  const { checks } = context.settings;
  const configured = checks.map((check): JudgedCheck => ({ check, skip: null, standing: "shared" }));
  const defaults = configured.length > 0 ? configured : await scriptChecks(context.repository, base);
  return context.checksFor({ tasks, earlier, defaults });
}

/** Returns the checks of a plan that can run. */
export function runnable(plan: readonly JudgedCheck[]): JudgedCheck[] {
  return plan.filter(({ skip }) => skip === null);
}

/** Returns the checks that the package scripts of a commit give: those of typecheck, lint, test and build that exist. */
export async function packageChecks(repository: Repository, base: Oid): Promise<Check[]> {
  return (await scriptChecks(repository, base)).filter(({ skip }) => skip === null).map(({ check }) => check);
}

async function scriptChecks(repository: Repository, base: Oid): Promise<JudgedCheck[]> {
  const [manifest, locks] = await Promise.all([
    readFileAt(repository, base, "package.json"),
    listPaths(
      repository,
      base,
      RUNNERS.map(({ lockfile }) => lockfile),
    ),
  ]);
  if (manifest === undefined) return [];
  const scripts = scriptsOf(manifest.toString("utf8"));
  const program = RUNNERS.find(({ lockfile }) => locks.includes(lockfile))?.program ?? "npm";
  return SCRIPTS.map((name) => ({
    check: checkOf({ name, run: [program, "run", name] }),
    skip: isUsable(scripts[name]) ? null : `package.json of the base has no script \`${name}\``,
    standing: "shared",
  }));
}

const isUsable = (script: unknown): boolean =>
  typeof script === "string" && emptyCommandProblem(script) === undefined && !NO_TEST.test(script);

function scriptsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(text);
    const scripts = typeof manifest === "object" && manifest !== null && "scripts" in manifest ? manifest.scripts : undefined;
    return typeof scripts === "object" && scripts !== null ? { ...scripts } : {};
  } catch {
    return {};
  }
}
