import type { Check } from "../domain/index.ts";
import { checkOf } from "../domain/index.ts";
import { listPaths, type Oid, type Repository, readFileAt } from "../git/index.ts";
import type { QaContext } from "./context.ts";

export type PlannedCheck = {
  check: Check;
  /** Why it cannot be run; null: it is run. */
  skip: string | null;
  /** True where it has to pass on the base as well: one that does not says nothing about the work. */
  holdsOnBase: boolean;
};

const SCRIPTS = ["typecheck", "lint", "test", "build"] as const;

/** What `npm init` writes: a script that says there is none. */
const NO_TEST = /no test specified/;

const RUNNERS = [
  { lockfile: "pnpm-lock.yaml", program: "pnpm" },
  { lockfile: "yarn.lock", program: "yarn" },
  { lockfile: "bun.lock", program: "bun" },
  { lockfile: "bun.lockb", program: "bun" },
] as const;

/** The checks of one request: from the plan, else from the configuration, else from the package scripts of the base. */
export async function planChecks(context: QaContext, request: { tasks: readonly string[]; base: Oid }): Promise<PlannedCheck[]> {
  const planned = context.checksFor(request.tasks);
  if (planned.length > 0) {
    const own = new Set((context.ownChecks?.(request.tasks) ?? []).map((check) => JSON.stringify(check)));
    return planned.map((check) => ({ check, skip: null, holdsOnBase: !own.has(JSON.stringify(check)) }));
  }
  const { checks } = context.settings;
  if (checks.length > 0) return checks.map((check) => ({ check, skip: null, holdsOnBase: true }));
  return scriptChecks(context.repository, request.base);
}

/** The checks that the package scripts of a commit give: typecheck, lint, test, build, as far as they are there. */
export async function packageChecks(repository: Repository, base: Oid): Promise<Check[]> {
  return (await scriptChecks(repository, base)).filter(({ skip }) => skip === null).map(({ check }) => check);
}

async function scriptChecks(repository: Repository, base: Oid): Promise<PlannedCheck[]> {
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
    holdsOnBase: true,
  }));
}

const isUsable = (script: unknown): boolean => typeof script === "string" && script.trim() !== "" && !NO_TEST.test(script);

function scriptsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(text);
    const scripts = typeof manifest === "object" && manifest !== null && "scripts" in manifest ? manifest.scripts : undefined;
    return typeof scripts === "object" && scripts !== null ? { ...scripts } : {};
  } catch {
    return {};
  }
}
