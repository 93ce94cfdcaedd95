import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { configJsonSchema, explainConfig } from "../../../src/config/index.ts";
import { claude, load, refusal } from "./config-fixture.ts";

const template = readFileSync(fileURLToPath(new URL("../../../templates/auto-context.yaml", import.meta.url)), "utf8");

describe("without a file", () => {
  test("every value is the documented default", async () => {
    const { config, path, origins, warnings } = await load(undefined);
    expect(config).toEqual({
      parallelization: { enabled: true, minTasks: 3, maxAgents: 5, autoCleanup: true, retryOnFailure: 3 },
      pool: {
        size: 8,
        dir: null,
        branchPrefix: "auto",
        copy: [".claude/project-profile.yaml"],
        setup: "auto",
        keep: ["/node_modules/"],
        ports: 10,
        env: {},
        ttlMs: 86_400_000,
        trashMaxBytes: 5 * 2 ** 30,
        rescueMaxFileBytes: 50 * 2 ** 20,
        rescueMaxBytes: 2 ** 30,
      },
      agents: { default: "claude", byName: { claude } },
      schedule: "groups",
      qa: { checks: [], allowScripts: [], env: [], slots: availableParallelism() },
      merge: {
        onConflict: ["resolvers", "rerun", "agent", "person"],
        agent: null,
        level: "safe",
        strategy: "merge",
        union: [],
        generated: {},
      },
      run: { confirm: true },
    });
    expect(path).toBe(null);
    expect(warnings).toEqual([]);
    expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
  });

  test.for([
    ["nothing", ""],
    ["comments", "# nothing yet\n"],
    ["an empty section", "pool:\nqa:\nagents:\n"],
    ["an empty key", "pool:\n  size:\n"],
  ])("a file with %s gives the same", async ([, text]) => {
    expect((await load(text)).config).toEqual((await load(undefined)).config);
  });
});

describe("the template", () => {
  test("is taken, and says the defaults", async () => {
    const { config, warnings } = await load(template);
    expect(config).toEqual((await load(undefined)).config);
    expect(warnings).toEqual([]);
  });

  test("is taken with its commented examples switched on", async () => {
    const { config } = await load(template.replace(/^( *)# (claude:|my-agent:|dir:|checks:|slots:| {2}\w)/gm, "$1$2"));
    expect(config.agents.byName["my-agent"]).toMatchObject({
      command: ["my-agent", "--non-interactive"],
      idleTimeoutMs: null,
      env: ["MY_AGENT_*"],
    });
    expect(config.agents.byName["claude"]?.timeoutMs).toBe(45 * 60_000);
    expect(config.qa.checks.map((check) => check.run)).toEqual(["npm run lint", "npm test"]);
    expect(config.qa.slots).toBe(4);
  });
});

describe("precedence", () => {
  const file = "parallelization: { max_agents: 2 }\n";
  test("flags over environment over file over default", async () => {
    const env = { AUTO_PARALLEL_MAX_AGENTS: "4" };
    const flags = { "parallelization.max_agents": "7" };
    const key = "parallelization.max_agents";
    const of = async (more: object) => {
      const { config, origins } = await load(file, more);
      return [config.parallelization.maxAgents, origins[key]];
    };
    expect(await of({})).toEqual([2, "file"]);
    expect(await of({ env })).toEqual([4, "environment"]);
    expect(await of({ env, flags })).toEqual([7, "flag"]);
    expect(await of({ env: { AUTO_PARALLEL_MAX_AGENTS: "" } })).toEqual([2, "file"]);
  });

  test("every variable is read", async () => {
    const { config, origins } = await load(undefined, {
      env: {
        AUTO_PARALLEL_ENABLED: "no",
        AUTO_PARALLEL_MIN_TASKS: "9",
        AUTO_PARALLEL_AUTO_CLEANUP: "0",
        AUTO_PARALLEL_RETRY_ON_FAILURE: "0",
        POOL_SIZE: "2",
        POOL_DIR: "/elsewhere",
        CLAUDE_CODE: "/opt/claude",
      },
    });
    expect(config.parallelization).toEqual({ enabled: false, minTasks: 9, maxAgents: 5, autoCleanup: false, retryOnFailure: 0 });
    expect(config.pool).toMatchObject({ size: 2, dir: "/elsewhere" });
    expect(config.agents.byName["claude"]?.command).toEqual(["/opt/claude", "-p"]);
    expect(origins["agents.claude.command"]).toBe("environment");
  });

  test("a bad variable is named, and all bad ones at once", async () => {
    expect(await refusal(undefined, { env: { POOL_SIZE: "lots", AUTO_PARALLEL_ENABLED: "maybe" } })).toBe(
      'the variable AUTO_PARALLEL_ENABLED must be true or false, not "maybe"\nthe variable POOL_SIZE must be a number, not "lots"',
    );
    expect(await refusal(undefined, { env: { POOL_SIZE: "0" } })).toBe(
      "the variable POOL_SIZE must be a whole number from 1 to 1000, not 0",
    );
  });
});

describe("a wrong file is refused with its place", () => {
  test.for<[text: string, because: string]>([
    ["pool:\n  sise: 3", '2:3 unknown key "sise" (did you mean `size`?)'],
    ["pool:\n  size: many", '2:9 `pool.size` must be a number, not "many"'],
    ["pool:\n  size: 1.5", "2:9 `pool.size` must be a whole number from 1 to 1000, not 1.5"],
    ["pool: 3", "1:7 `pool` must be a map"],
    ["pool:\n  ports: 41", "2:10 `pool.ports` must be a whole number from 0 to 40, not 41"],
    ["pool:\n  ttl: 24", "2:8 `pool.ttl` must be a duration such as 500ms, 90s, 30m or 1h, not the number 24"],
    ["pool:\n  setup: atuo", '2:10 `pool.setup` must be auto, none or a list of commands, not "atuo" (did you mean `auto`?)'],
    ["pool:\n  setup: []", "2:10 `pool.setup` must have at least one command"],
    ["pool:\n  setup: [make, []]", "2:17 `pool.setup[1]` must name a program"],
    ["pool:\n  keep: [node_modules]", "2:10 `pool.keep[0]` must be a folder as seen from the top of the repository"],
    ["pool:\n  keep: ['/a/../b/']", "2:10 `pool.keep[0]` must stay in the slot"],
    ["pool:\n  keep: ['/packages/*/node_modules/']", "2:10 `pool.keep[0]` must name one folder, without a pattern"],
    ["pool:\n  env: {A-B: x}", '2:8 `pool.env` has "A-B", which is no name of a variable'],
    ["pool:\n  env: {GRAFTWORK_SLOT: x}", '2:8 `pool.env` has "GRAFTWORK_SLOT", which is graftwork\'s own'],
    ["pool:\n  env: {PORT: 80}", '2:15 `pool.env.PORT` must be text: YAML reads 80 as the number 80, so quote it: "80"'],
    ["pool:\n  rescue_max: 5", "2:15 `pool.rescue_max` must be a size such as 500KiB, 50MiB or 1GiB, not the number 5"],
    ["pool:\n  branch_prefix: a..b", "2:18 `pool.branch_prefix` must be a beginning of branch names"],
    ["pool:\n  copy: [../secrets]", "2:10 `pool.copy[0]` must be relative to the repository"],
    ["merge:\n  agent: clude", "2:10 there is no agent `clude`: there are claude"],
    [
      "merge:\n  on_conflict: [preson]",
      '2:17 `merge.on_conflict[0]` must be resolvers, rerun, agent or person, not "preson" (did you mean `person`?)',
    ],
    ["merge:\n  generated: {/abs: x}", "2:21 `merge.generated./abs` must be relative to the repository"],
    ["merge:\n  generated: {gen/**: []}", "2:23 `merge.generated.gen/**` must name a program"],
    ["merge:\n  generated: {gen/**: ''}", "2:23 `merge.generated.gen/**` must not be empty"],
    ["merge:\n  generated: [make]", "2:14 `merge.generated` must be a map of globs to commands, not a list"],
    ["merge:\n  sign: true", "2:3 `merge.sign` is not supported yet: take it out"],
    ["session:\n  groups_per_session: 2", "2:3 `session.groups_per_session` is not supported yet: take it out"],
    ["budget: 5usd", "1:1 `budget` is not supported yet: take it out"],
    ["e2e:\n  start: npm start", "1:1 `e2e` is not supported yet: take it out"],
    ['qa:\n  checks: ["# npm test"]', "2:12 `qa.checks[0]` runs nothing: it has only comment lines"],
    ['qa:\n  checks: [{run: [" "]}]', "2:18 `qa.checks[0].run` must name a program"],
    ['merge:\n  generated: {gen/**: "# make"}', "2:23 `merge.generated.gen/**` runs nothing: it has only comment lines"],
    ["qa:\n  checks: [{run: a, naem: b}]", '2:21 unknown key "naem" (did you mean `name`?)'],
    ["qa:\n  checks: [{name: b}]", "2:12 `qa.checks[0].run` is missing"],
    [
      "qa:\n  checks: [{run: a, timeout: 5}]",
      "2:30 `qa.checks[0].timeout` must be a duration such as 500ms, 90s, 30m or 1h, not the number 5",
    ],
    ["agents:\n  mine: {timeout: 5m}", "2:3 `agents.mine` is a new agent and needs a `command`"],
    ["agents:\n  mine: python agent.py", "2:9 `agents.mine` must be a map: write `command: [program, argument]` below it"],
    ["agents:\n  mine: {command: []}", "2:19 `agents.mine.command` must name a program"],
    ["agents:\n  claude: {price: 3}", "2:12 `agents.claude.price` is not supported yet"],
    ["agents:\n  claude: {output: opencode-json}", '2:20 `agents.claude.output` "opencode-json" is not supported yet'],
    ["agents:\n  claude: {rate_limit: '('}", "2:24 `agents.claude.rate_limit` must be a regular expression"],
    ["agents:\n  __proto__: {command: [x]}", '2:3 "__proto__" is no usable name of an agent'],
    ["agents:\n  default: cluade", "2:12 there is no agent `cluade`: there are claude (did you mean `claude`?)"],
    ["pool: {size: 1}\npool: {size: 2}", '2:1 the key "pool" stands here twice'],
    ["- a", "1:1 the configuration must be a map of keys"],
    ["a: [", "1:5 Flow sequence"],
    [`a: ${"[".repeat(20_000)}`, "1:67 nested deeper than 64 levels"],
    ["a: 1\n---\nb: 1", "2:1 a second document begins here"],
    ["schedule: sometimes", '1:11 `schedule` must be groups or eager, not "sometimes"'],
  ])("%j", async ([text, because]) => {
    expect(await refusal(text)).toContain(`.claude/auto-context.yaml:${because}`);
  });

  test("with all findings at once, in the order of the text", async () => {
    const text = "pool:\n  sise: 3\nrun:\n  confirm: 1\nqa:\n  slots: 0\n";
    expect((await refusal(text)).split("\n").map((line) => line.replace(/^\S+?:(\d+):.*/, "$1"))).toEqual(["2", "4", "6"]);
  });
});

describe("what is not ours", () => {
  test("is left alone, whatever it holds", async () => {
    const { config, warnings } = await load("hooks: {a: [1, {b: 2}]}\nmemory: off\n__proto__: {polluted: 1}\npool: {size: 3}\n");
    expect(config.pool.size).toBe(3);
    expect(warnings).toEqual([]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("is warned about where it looks like a slip", async () => {
    const { warnings } = await load("paralelization: {enabled: false}\n");
    expect(warnings).toEqual(['.claude/auto-context.yaml:1:1 the key "paralelization" is not read; did you mean `parallelization`?']);
  });
});

describe("agents", () => {
  test("an entry is laid over its preset field by field", async () => {
    const { config, origins } = await load("agents:\n  claude: {timeout: 1h, env: [A]}\n");
    expect(config.agents.byName["claude"]).toEqual({ ...claude, timeoutMs: 3_600_000, env: ["A"] });
    expect([origins["agents.claude.timeout"], origins["agents.claude.command"]]).toEqual(["file", "default"]);
  });

  test("another command line loses what the preset promised of its own", async () => {
    const { config } = await load("agents:\n  claude: {command: [claude, --yolo]}\n");
    expect(config.agents.byName["claude"]?.permissions).toBe("graftwork sets it no limits");
  });

  test.for<[command: string, prompt: string]>([
    ["[a]", "stdin"],
    ["[a, '{prompt}']", "argument"],
    ["[a, '{brief}']", "file"],
  ])("the prompt of a new agent with command %s travels by %s", async ([command, prompt]) => {
    const { config } = await load(`agents:\n  mine: {command: ${command}}\n`);
    expect(config.agents.byName["mine"]).toMatchObject({ prompt, output: "text", idleTimeoutMs: null, resume: null, timeoutMs: 1_800_000 });
  });

  test("silence ends an agent whose output is a stream, unless it is off", async () => {
    const { config } = await load(
      "agents:\n  a: {command: [a], output: codex-json}\n  b: {command: [b], output: codex-json, idle_timeout: off}\n",
    );
    expect([config.agents.byName["a"]?.idleTimeoutMs, config.agents.byName["b"]?.idleTimeoutMs]).toEqual([300_000, null]);
  });

  test("a name of Object's own is no agent", async () => {
    const { config } = await load(undefined);
    expect(config.agents.byName["constructor"]).toBeUndefined();
    expect(await refusal("agents: {default: constructor}")).toContain("there is no agent `constructor`");
  });
});

describe("explained", () => {
  test("every value has a line with its origin, and no secret", async () => {
    const text = "pool: {size: 3}\nagents:\n  claude: {set_env: {TOKEN: s3cret}}\n";
    const lines = explainConfig(await load(text, { env: { POOL_DIR: "/p" } }));
    expect(lines).toContain("pool.size = 3  (file)");
    expect(lines).toContain("pool.dir = /p  (environment)");
    expect(lines).toContain("pool.rescue_max_file = 50MiB  (default)");
    expect(lines).toContain('agents.claude.set_env = ["TOKEN"]  (file)');
    expect(lines).toContain("agents.claude.idle_timeout = 5m  (default)");
    expect(lines.join("\n")).not.toContain("s3cret");
  });

  test("of pool.env the names alone are shown, and units are those of the file", async () => {
    const text = "pool: {env: {TOKEN: s3cret}, ttl: 90m, setup: [make, [npm, ci]], keep: [/.venv/]}\n";
    const lines = explainConfig(await load(text));
    expect(lines).toContain('pool.env = ["TOKEN"]  (file)');
    expect(lines).toContain("pool.ttl = 90m  (file)");
    expect(lines).toContain("pool.trash_max = 5GiB  (default)");
    expect(lines).toContain('pool.setup = ["make",["npm","ci"]]  (file)');
    expect(lines.join("\n")).not.toContain("s3cret");
  });

  test("merge.generated is shown with its commands, in the order of the file", async () => {
    const lines = explainConfig(await load("merge: {generated: {z/**: make z, a.txt: [node, a.mjs]}}\n"));
    expect(lines).toContain('merge.generated = {"z/**":"make z","a.txt":["node","a.mjs"]}  (file)');
  });

  test("names exactly the keys whose origins are known", async () => {
    const loaded = await load("agents:\n  mine: {command: [a]}\n");
    const keys = explainConfig(loaded).map((line) => line.split(" = ")[0]);
    expect(keys.toSorted()).toEqual(Object.keys(loaded.origins).toSorted());
  });

  test("the JSON Schema has every key of the file", async () => {
    const { properties } = configJsonSchema() as { properties: Record<string, { properties?: object; patternProperties?: object }> };
    const { origins } = await load(undefined);
    const plain = Object.keys(origins).filter((key) => !key.startsWith("agents.claude."));
    for (const key of plain) {
      const [section = "", name] = key.split(".");
      expect(Object.keys(name === undefined ? properties : (properties[section]?.properties ?? {}))).toContain(name ?? section);
    }
    expect(Object.keys(properties["agents"]?.patternProperties ?? {})).toHaveLength(1);
  });
});
