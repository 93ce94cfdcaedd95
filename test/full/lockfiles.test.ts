import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { hermeticEnv, tempFolder, tempRepo, writeFiles } from "../fixtures/index.ts";
import { mergeCandidates, mergeContext, verdictOn } from "../fixtures/merge-context.ts";

/** Small packages without dependencies, and versions of them that are not the newest. */
const BASE = { "is-number": "6.0.0" };
const OURS = { ...BASE, "is-odd": "0.1.2" };
const THEIRS = { ...BASE, "left-pad": "1.2.0" };

/** What of the machine's settings says how the registry is reached. */
const NETWORK = /^(?:npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy)$/i;

function yarnSettings(): string {
  const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8", cwd: tempFolder("registry") }).trim();
  return `nodeLinker: node-modules\nnpmRegistryServer: "${registry}"\nunsafeHttpWhitelist: ["${new URL(registry).hostname}"]\nenableGlobalCache: false\n`;
}

const MANAGERS = [
  { name: "npm", packages: [], lockfile: "package-lock.json", lock: ["npm", "install", "--package-lock-only"], files: {} },
  { name: "pnpm", packages: ["pnpm@9"], lockfile: "pnpm-lock.yaml", lock: ["pnpm", "install", "--lockfile-only"], files: {} },
  { name: "yarn 1", packages: ["yarn@1"], lockfile: "yarn.lock", lock: ["yarn", "install"], files: {} },
  {
    name: "yarn 4",
    packages: ["@yarnpkg/cli-dist@4"],
    lockfile: "yarn.lock",
    lock: ["yarn", "install", "--mode=update-lockfile", "--no-immutable"],
    // Yarn 4 reads nobody else's settings.
    files: { ".yarnrc.yml": yarnSettings() },
  },
] as const;

const manifest = (dependencies: Record<string, string>): string =>
  `${JSON.stringify({ name: "p", version: "1.0.0", dependencies }, null, 2)}\n`;

test.each(MANAGERS)(
  "a lockfile of $name that collides is made anew with what both sides locked",
  async ({ packages, lockfile, lock, files }) => {
    const tools = tempFolder("tools");
    if (packages.length > 0) {
      writeFiles(tools, { "package.json": "{}\n" });
      execFileSync("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: tools, stdio: "ignore" });
    }
    const path = [join(tools, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
    const registry = Object.fromEntries(Object.entries(process.env).filter(([name]) => NETWORK.test(name)));
    const env: Record<string, string | undefined> = { ...hermeticEnv(), ...registry, HOME: process.env["HOME"], PATH: path };
    const repo = tempRepo({ files: { ".gitignore": "node_modules/\n.yarn/\n", ...files } });
    const [program, ...args] = lock;
    const commitWith = (dependencies: Record<string, string>): void => {
      writeFiles(repo.dir, { "package.json": manifest(dependencies) });
      execFileSync(program, args, { cwd: repo.dir, env, stdio: "ignore" });
      repo.commit({}, "dependencies");
    };
    commitWith(BASE);
    for (const [task, dependencies] of [
      ["x", OURS],
      ["y", THEIRS],
    ] as const) {
      repo.git("switch", "-q", "-c", `auto/${task}`, "main");
      commitWith(dependencies);
    }
    repo.git("switch", "-q", "main");
    const said: unknown[] = [];
    const context = await mergeContext(repo.dir, env, {
      verify: async (request) => verdictOn(request),
      resolving: { level: "safe", union: [] },
      emit: (event) => said.push(event),
      narrate: (line) => said.push(line),
    });
    const candidate = (task: string) => ({
      task,
      title: task,
      branch: `auto/${task}`,
      commit: repo.git("rev-parse", `auto/${task}`),
      dependsOn: [],
    });
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect({ landed, said: landed.length === 2 ? [] : said }).toEqual({ landed: ["x", "y"], said: [] });
    const text = readFileSync(join(repo.dir, lockfile), "utf8");
    for (const name of ["is-number", "is-odd", "left-pad"]) expect(text).toContain(name);
    expect(text).not.toMatch(/^[<=>|]{7}/m);
  },
  180_000,
);
