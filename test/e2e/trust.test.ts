import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { type CliResult, hermeticEnv, runCli, type TempRepo, tempRepo, writeFiles } from "../fixtures/index.ts";

/** A repository that was cloned a moment ago: all that it brings writes its name into `ran`. */
function clone(more: object = {}): {
  repo: TempRepo;
  ran: () => string;
  gw: (...args: string[]) => Promise<CliResult>;
  env: Record<string, string | undefined>;
} {
  const repo = tempRepo();
  const ran = join(repo.parent, "ran");
  const config = {
    pool: { setup: [`echo setup >> '${ran}'`] },
    agents: {
      default: "sh",
      sh: { command: ["sh", "-c", `echo agent >> '${ran}'; echo $GRAFTWORK_TASK_ID > $GRAFTWORK_TASK_ID; git add -A; git commit -qm x`] },
    },
    ...more,
  };
  repo.commit({ ".claude/auto-context.yaml": JSON.stringify(config), "plan.json": plan("a") });
  const env = { GRAFTWORK_TRUST: undefined, XDG_STATE_HOME: join(repo.parent, "state") };
  return {
    repo,
    env,
    ran: () => (existsSync(ran) ? readFileSync(ran, "utf8").trim() : ""),
    gw: (...args) => runCli(args, { cwd: repo.dir, env }),
  };
}

const plan = (...ids: string[]): string =>
  JSON.stringify({ version: 1, name: "p", verification: ["true"], tasks: ids.map((id) => ({ id, title: id })) });

const digestOf = async (stage: ReturnType<typeof clone>): Promise<string> =>
  (JSON.parse((await stage.gw("trust", "show", "--json")).stdout) as { digest: string }).digest;

describe("the commands of a repository", () => {
  test("run by no verb before they are approved; each that would run them shows them; reading verbs answer", async () => {
    const stage = clone({ run: { confirm: false } });
    for (const verb of ["pool init 1", "pool acquire a", "pool reset 1", "run plan.json --yes", "merge", "pool health --fix"]) {
      const answer = await stage.gw(...verb.split(" "));
      expect([verb, answer.code]).toEqual([verb, 2]);
      expect(answer.stderr).toContain("error[TRUST_NEEDED]");
      expect(answer.stderr.split("echo setup")).toHaveLength(2);
    }
    for (const verb of ["config", "runs", "plan show plan.json", "trust show"]) expect((await stage.gw(...verb.split(" "))).code).toBe(0);
    expect(stage.ran()).toBe("");
    const hook = await runCli(["hook", "worktree-create"], { cwd: stage.repo.dir, env: stage.env, input: "{}" });
    expect([hook.code, stage.ran()]).toEqual([2, ""]);
  });

  test.each([
    [".npmrc", "global=true\n"],
    [".yarnrc.yml", '"pl\\u0075gins": [x.cjs]\n'],
  ])("are also settings that have installers run something: %s, even if slots are not set up", async (path, text) => {
    const stage = clone({ pool: { setup: "none" }, agents: {} });
    // Only installers' settings are left to be asked about.
    stage.repo.commit({ ".claude/auto-context.yaml": null, "package.json": "{}\n", [path]: text });
    for (const setup of ["auto", "none"]) {
      writeFiles(stage.repo.dir, { ".claude/auto-context.yaml": `pool: { setup: ${setup} }\n` });
      const { code, stderr } = await stage.gw("pool", "init", "1");
      expect([setup, code]).toEqual([setup, 2]);
      expect(stderr).toContain(path);
      expect(stderr).toContain(text.trim());
    }
  });

  test("run once they are approved, until one of them changes; the change is marked", async () => {
    const stage = clone();
    expect((await stage.gw("trust", "allow")).stderr).toContain("error[CONFIRMATION_NEEDED]");
    expect((await stage.gw("trust", "allow", "--yes")).code).toBe(0);
    expect(stage.repo.git("status", "--porcelain", "--ignored")).toBe("");
    expect((await stage.gw("pool", "init", "1")).code).toBe(0);
    expect(stage.ran()).toBe("setup");
    stage.repo.commit({ ".claude/auto-context.yaml": JSON.stringify({ pool: { setup: ["echo other"], env: { A: "1" } } }) });
    const { code, stderr } = await stage.gw("pool", "init", "2");
    expect(code).toBe(2);
    expect(stderr).toContain("to set up each slot (pool.setup) (changed):");
    expect(stderr).toContain("(pool.env.A) (new):");
    expect((await stage.gw("trust", "revoke")).code).toBe(0);
    expect((await stage.gw("trust", "show")).stdout).toContain(": not approved");
  });

  test("are approved for one command by their digest, and by no other", async () => {
    const stage = clone();
    const withTrust = (value: string) =>
      runCli(["run", "plan.json"], { cwd: stage.repo.dir, env: { ...stage.env, GRAFTWORK_TRUST: value } });
    expect((await withTrust("0".repeat(32))).code).toBe(2);
    expect(stage.ran()).toBe("");
    expect((await withTrust(await digestOf(stage))).code).toBe(0);
    expect(stage.repo.git("show", "main:a")).toBe("a");
  });

  test("that a run keeps are asked about again if somebody else changed them", async () => {
    const stage = clone();
    await stage.gw("trust", "allow", "--yes");
    writeFileSync(
      join(stage.repo.dir, "two.json"),
      JSON.stringify({
        ...JSON.parse(plan("a", "b")),
        tasks: [
          { id: "a", title: "a" },
          { id: "b", title: "b", depends_on: ["a"] },
        ],
      }),
    );
    stage.repo.commit({}, "plan");
    expect((await stage.gw("run", "two.json", "--yes", "--one-group")).code).toBe(0);
    const [run = ""] = readdirSync(join(stage.repo.dir, ".git/graftwork/runs"));
    const file = join(stage.repo.dir, ".git/graftwork/runs", run, "plan.json");
    const whole = readFileSync(file, "utf8");
    writeFileSync(file, whole.replaceAll('"run":"true"', '"run":"echo planted"'));
    const refused = await stage.gw("continue");
    expect([refused.code, refused.stderr.includes("TRUST_NEEDED"), refused.stderr.includes("echo planted")]).toEqual([2, true, true]);
    writeFileSync(file, whole);
    expect((await stage.gw("continue")).code).toBe(0);
  });

  test("of the user's own file need no approval, and the repository cannot say that nobody is asked", async () => {
    const stage = clone({ pool: {}, agents: {}, run: { confirm: false } });
    writeFiles(stage.repo.parent, { "config/graftwork/config.yaml": "pool: { setup: ['true'] }\nagents: { default: mock }\n" });
    const env = { ...stage.env, XDG_CONFIG_HOME: join(stage.repo.parent, "config") };
    const gw = (...args: string[]) => runCli(args, { cwd: stage.repo.dir, env });
    expect((await gw("pool", "init", "1")).code).toBe(0);
    expect((await gw("config")).stdout).toContain('pool.setup = ["true"]  (user)');
    expect((await gw("run", "plan.json")).stderr).toContain("error[CONFIRMATION_NEEDED]");
  });
});

/** Every verb of the program with made-up arguments, from its documentation. */
function verbs(): string[][] {
  const page = readFileSync(fileURLToPath(new URL("../../docs/commands.md", import.meta.url)), "utf8");
  return [...page.matchAll(/^Usage: graftwork (.+)$/gm)].flatMap(([, usage = ""]) => {
    if (usage.includes("[command]") || usage.startsWith("hook")) return [];
    const words = usage.split(" ").filter((word) => !word.startsWith("["));
    return [words.map((word) => word.replace(/[<>]/g, ""))];
  });
}

test("a program that works in a slot may read, and command nothing", async () => {
  const stage = clone();
  await stage.gw("trust", "allow", "--yes");
  await stage.gw("pool", "init", "2");
  const path = (await stage.gw("pool", "acquire", "task-a")).stdout.split("|")[1] ?? "";
  const before = stage.repo.git("for-each-ref");
  const reads = new Set<string>();
  expect(verbs().length).toBeGreaterThan(30);
  for (const args of verbs()) {
    const { stderr } = await runCli(args, { cwd: path, env: { ...stage.env, GRAFTWORK_TRUST: "all" }, input: "{}" });
    if (!stderr.includes("error[CALLER_REFUSED]")) reads.add(args.join(" "));
  }
  expect(stage.repo.git("for-each-ref")).toBe(before);
  expect([...reads].sort()).toEqual([
    "config",
    "conflicts check file",
    "conflicts list",
    "logs task",
    "merge-file base ours theirs path",
    "plan check plan",
    "plan show plan",
    "pool health",
    "pool rescue list",
    "pool rescue show id",
    "pool status",
    "runs list",
    "schema which",
    "status",
    "trust show",
  ]);
  // Nor does a hook end what is another's, whatever event is made up.
  const other = (await stage.gw("pool", "acquire", "task-b")).stdout.split("|")[1] ?? "";
  for (const input of [{ cwd: other }, { worktree_path: other }, { cwd: other, session_id: "no-such" }])
    await runCli(["hook", "session-end"], { cwd: path, env: stage.env, input: JSON.stringify(input) });
  const { slots } = JSON.parse((await stage.gw("pool", "status", "--json")).stdout) as { slots: { status: string }[] };
  expect(slots.map(({ status }) => status)).toEqual(["busy", "busy"]);
  // A marker that fits no slot is no person's, and none hides that of a process above.
  const real = `${path}#1`;
  const shells = [
    `GRAFTWORK_LEASE=x exec`,
    `unset GRAFTWORK_LEASE; env GRAFTWORK_LEASE=x`,
    `unset GRAFTWORK_LEASE;`,
    `env -u GRAFTWORK_LEASE`,
  ];
  const program = fileURLToPath(new URL("../../bin/graftwork.js", import.meta.url));
  for (const shell of shells) {
    const run = promisify(execFile)("sh", ["-c", `${shell} '${process.execPath}' '${program}' trust revoke; exit $?`], {
      cwd: stage.repo.dir,
      env: { ...hermeticEnv(), XDG_STATE_HOME: stage.env["XDG_STATE_HOME"], GRAFTWORK_LEASE: real },
    });
    await expect([shell, run.then(() => 0).catch((error: { code: number }) => error.code)][1]).resolves.toBe(4);
  }
  const release = (...more: string[]) => runCli(["pool", "release", "task-a", ...more], { cwd: path, env: stage.env });
  expect((await release("--discard")).code).toBe(4);
  expect((await release()).code).toBe(0);
}, 180_000);

describe("what works for a run commands it by no way", () => {
  /** Verbs that would do harm, called from the repository's own folder; their exit codes go to a file. */
  const calls = ({ repo, env }: ReturnType<typeof clone>): { script: string; codes: () => string[] } => {
    const [script, codes] = [join(repo.parent, "calls.sh"), join(repo.parent, "codes")];
    const program = fileURLToPath(new URL("../../bin/graftwork.js", import.meta.url));
    const verbs = ["trust allow --yes", "pool release mine --discard", "pool release mine --force", "pool cleanup --force", "stop"];
    const lines = verbs.map((verb) => `'${process.execPath}' '${program}' ${verb} < /dev/null > /dev/null 2>&1; echo $? >> '${codes}'`);
    const own = `export XDG_STATE_HOME='${env["XDG_STATE_HOME"]}'`;
    writeFileSync(script, [`cd '${repo.dir}'`, own, ...lines].join("\n"));
    return { script, codes: () => (existsSync(codes) ? readFileSync(codes, "utf8").trim().split("\n") : []) };
  };
  const REFUSED = ["4", "4", "4", "4", "4"];
  const run = async (stage: ReturnType<typeof clone>, planText: string): Promise<string> => {
    writeFiles(stage.repo.parent, { "plan.json": planText });
    await stage.gw("pool", "init", "2");
    const path = (await stage.gw("pool", "acquire", "mine")).stdout.split("|")[1] ?? "";
    writeFiles(path, { precious: "p" });
    await stage.gw("run", join(stage.repo.parent, "plan.json"), "--yes");
    expect(readFileSync(join(path, "precious"), "utf8")).toBe("p");
    return stage.repo.git("log", "--format=%s", "main");
  };

  test("an agent that took everything out of its environment", async () => {
    const stage = clone();
    const { script, codes } = calls(stage);
    const work = `echo a > a; git add -A; git commit -qm x; cd /; exec env -i PATH="$PATH" HOME="$HOME" sh '${script}'`;
    stage.repo.commit({ ".claude/auto-context.yaml": JSON.stringify({ agents: { default: "sh", sh: { command: ["sh", "-c", work] } } }) });
    stage.env["GRAFTWORK_TRUST"] = "all";
    expect(await run(stage, plan("a"))).toContain("x");
    expect(codes()).toEqual(REFUSED);
  });

  test("a check of an agent's work", async () => {
    const stage = clone();
    const { script, codes } = calls(stage);
    // A file that the command named would wait for a person.
    const work = `echo "sh '${script}'" > $(ls ch*); git add -A; git commit -qm x`;
    stage.repo.commit({
      "check.sh": "true",
      ".claude/auto-context.yaml": JSON.stringify({ agents: { default: "sh", sh: { command: ["sh", "-c", work] } } }),
    });
    stage.env["GRAFTWORK_TRUST"] = "all";
    const checked = JSON.stringify({ version: 1, name: "p", verification: ["sh check.sh"], tasks: [{ id: "a", title: "a" }] });
    expect(await run(stage, checked)).toContain("x");
    expect(codes().slice(0, 5)).toEqual(REFUSED);
  });

  test("set-up of a slot, outside of a run", async () => {
    const stage = clone();
    const { script, codes } = calls(stage);
    const setup = `cd /; exec env -i PATH="$PATH" HOME="$HOME" sh '${script}'`;
    stage.repo.commit({ ".claude/auto-context.yaml": JSON.stringify({ pool: { setup: [["sh", "-c", setup]] } }) });
    stage.env["GRAFTWORK_TRUST"] = "all";
    await stage.gw("pool", "init", "1");
    expect(codes().slice(0, 5)).toEqual(REFUSED);
  });
});

test("somebody at a terminal in a slot is a person", async () => {
  const stage = clone();
  stage.env["GRAFTWORK_TRUST"] = "all";
  const program = fileURLToPath(new URL("../../bin/graftwork.js", import.meta.url));
  const atTerminal = (verb: string, cwd: string, more: Record<string, string> = {}): string => {
    const line = `'${process.execPath}' '${program}' ${verb}; echo "exit $?"`;
    const env = { ...hermeticEnv(), XDG_STATE_HOME: stage.env["XDG_STATE_HOME"], ...more };
    return spawnSync("script", ["-qec", line, "/dev/null"], { cwd, env, encoding: "utf8", input: "" }).stdout;
  };
  await stage.gw("pool", "init", "3");
  const path = (await stage.gw("pool", "acquire", "two")).stdout.split("|")[1] ?? "";
  expect((await runCli(["pool", "acquire", "three"], { cwd: path, env: stage.env })).code).toBe(4);
  // A program stays one in another task's folder, and with a terminal.
  const other = (await stage.gw("pool", "acquire", "other")).stdout.split("|")[1] ?? "";
  for (const signs of [{ GRAFTWORK_LEASE: `${other}#1` }, { GRAFTWORK_LEASE: "x" }, { GRAFTWORK_SLOT_PATH: other }])
    for (const folder of [path, other, stage.repo.dir]) expect(atTerminal("pool acquire three", folder, signs)).toContain("exit 4");
  expect(atTerminal("pool acquire three", path)).toContain("exit 0");
  expect(atTerminal("pool release two --discard", path)).toContain("exit 0");
});

test("folders of ours are their user's alone, whatever the umask; without a state folder it is said, and work goes on", async () => {
  const stage = clone();
  const before = process.umask(0);
  try {
    await stage.gw("trust", "allow", "--yes");
    expect((await stage.gw("run", "plan.json", "--yes")).code).toBe(0);
  } finally {
    process.umask(before);
  }
  const [own = ""] = readdirSync(join(stage.repo.parent, "state/graftwork"));
  for (const folder of [join(stage.repo.parent, "state/graftwork", own), `${stage.repo.dir}.pool`, `${stage.repo.dir}.qa`])
    if (existsSync(folder)) expect([folder, statSync(folder).mode & 0o777]).toEqual([folder, 0o700]);
  const other = clone();
  writeFileSync(join(other.repo.parent, "file"), "");
  const env = { ...hermeticEnv(), XDG_STATE_HOME: join(other.repo.parent, "file/state"), GRAFTWORK_TRUST: "all" };
  const answer = await runCli(["run", "plan.json"], { cwd: other.repo.dir, env });
  expect([answer.code, answer.stderr.includes("your state folder cannot be used")]).toEqual([0, true]);
  expect(other.repo.git("show", "main:a")).toBe("a");
});
