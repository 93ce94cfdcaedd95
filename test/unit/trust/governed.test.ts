import { expect, test } from "vitest";
import { digestOf, governedBy } from "../../../src/trust/index.ts";
import { tempFolder, writeFiles } from "../../fixtures/index.ts";
import { load } from "../config/config-fixture.ts";

/** What a repository's configuration governs, beside the user's own. */
async function governed(repository: object, own?: object) {
  const home = tempFolder("home");
  if (own !== undefined) writeFiles(home, { "graftwork/config.yaml": JSON.stringify(own) });
  const loaded = await load(JSON.stringify(repository), { env: { XDG_CONFIG_HOME: home } });
  return governedBy({ ...loaded, templates: [] });
}

const AGENT = { a: { command: ["a"] } };

test.each<[key: string, repository: object]>([
  ["pool.dir", { pool: { dir: "../x" } }],
  ["pool.setup", { pool: { setup: ["make"] } }],
  ["pool.copy", { pool: { copy: ["**/*.pem"] } }],
  ["pool.env.A", { pool: { env: { A: "1" } } }],
  ["qa.checks", { qa: { checks: ["make test"] } }],
  ["qa.env", { qa: { env: ["TOKEN"] } }],
  ["merge.generated *.lock", { merge: { generated: { "*.lock": "make lock" } } }],
  ["merge.agent", { merge: { agent: "a" }, agents: AGENT }],
  ["agents.default", { agents: { default: "a", ...AGENT } }],
  ["agents.a.command", { agents: AGENT }],
  ["agents.a.prompt", { agents: { a: { command: ["a", "{prompt}"] } } }],
  ["agents.a.resume", { agents: { a: { command: ["a"], resume: ["b"] } } }],
  ["agents.a.env", { agents: { a: { command: ["a"], env: ["TOKEN"] } } }],
  ["agents.a.set_env.A", { agents: { a: { command: ["a"], set_env: { A: "1" } } } }],
])("%s of a repository is asked about, with what it is for; of the user's own file it is not", async (key, repository) => {
  const found = await governed(repository);
  expect(found.map((one) => one.key)).toContain(key);
  for (const { purpose } of found) expect(purpose).toMatch(/^\w.+\w$/);
  expect(await governed(repository, repository)).toEqual([]);
});

test("a repository that only says how the pool is kept governs nothing; words about a command are no part of its digest", async () => {
  expect(await governed({ pool: { size: 3 }, run: { confirm: false } })).toEqual([]);
  // To choose a preset is no more than that, unless the user's own file changes what it may do.
  expect(await governed({ merge: { agent: "claude" } })).toEqual([]);
  expect(await governed({ merge: { agent: "claude" } }, { agents: { claude: { permissions: "all" } } })).toHaveLength(1);
  const found = await governed({ pool: { setup: ["make"] } });
  expect(digestOf(found.map((one) => ({ ...one, purpose: "other words" })))).toBe(digestOf(found));
  expect(digestOf(found)).not.toBe(digestOf([]));
});
