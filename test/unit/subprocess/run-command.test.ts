import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Command, type CommandEnd, livenessOf, runCommand } from "../../../src/subprocess/index.ts";
import { hermeticEnv, tempFolder } from "../../fixtures/index.ts";
import { family, isAlive, LIVES, node, pidsIn } from "./programs.ts";

function run(argv: readonly [string, ...string[]], more: Partial<Command> = {}): Promise<CommandEnd> {
  return runCommand({ argv, cwd: "/", env: hermeticEnv(), ...more });
}

describe("a command that ends by itself", () => {
  test.for<[what: string, program: string, expected: Partial<CommandEnd>]>([
    ["exit 0", "", { ended: "exited", code: 0, signal: null, notStarted: null, overflow: false }],
    ["exit 7", "process.exit(7)", { ended: "exited", code: 7 }],
    ["a signal", "process.kill(process.pid, 'SIGKILL')", { ended: "exited", code: null, signal: "SIGKILL" }],
  ])("%s", async ([, program, expected]) => {
    expect(await run(node(program))).toMatchObject(expected);
  });

  test("gives back both streams", async () => {
    const { stdout, stderr } = await run(node("console.log('out'); console.error('err')"));
    expect([String(stdout), String(stderr)]).toEqual(["out\n", "err\n"]);
  });

  test("sees its folder and its environment, and nothing of ours", async () => {
    const cwd = realpathSync(tempFolder());
    const { stdout } = await run(node("console.log(JSON.stringify([process.cwd(), process.env]))"), { cwd, env: { ONLY: "this" } });
    expect(JSON.parse(String(stdout))).toEqual([cwd, { ONLY: "this" }]);
  });

  test("leads a process group of its own, and is announced", async (context) => {
    if (process.platform !== "linux") context.skip("needs /proc");
    let announced = 0;
    const { stdout } = await run(node("console.log(require('node:fs').readFileSync('/proc/self/stat', 'utf8'))"), {
      onStart: (process) => {
        expect(livenessOf(process)).toBe("alive");
        announced = process.pid;
      },
    });
    expect(String(stdout).split(") ")[1]?.split(" ")[2]).toBe(String(announced));
  });
});

describe("standard input", () => {
  const echo = node("process.stdin.pipe(process.stdout)");
  const large = "é\n".repeat(500_000);
  test.for([
    ["a text", "hello", "hello"],
    ["bytes", new Uint8Array([0x68, 0x69]), "hi"],
    ["more than a pipe holds", large, large],
    ["nothing", undefined, ""],
  ] as const)("%s", async ([, stdin, said]) => {
    const { stdout, code } = await run(echo, stdin === undefined ? {} : { stdin });
    expect(code).toBe(0);
    expect(String(stdout) === said).toBe(true);
  });

  test("that nobody reads does no harm", async () => {
    expect(await run(node("process.exit(3)"), { stdin: large })).toMatchObject({ ended: "exited", code: 3 });
  });
});

describe("what cannot be started", () => {
  const folder = () => {
    const dir = tempFolder();
    mkdirSync(join(dir, "folder"));
    writeFileSync(join(dir, "plain"), "no program", { mode: 0o644 });
    return dir;
  };
  test.for([
    ["no such program", "missing", "ENOENT"],
    ["a folder", "folder", "EACCES"],
    ["not executable", "plain", "EACCES"],
  ] as const)("%s", async ([, name, notStarted]) => {
    expect(await run([join(folder(), name)])).toMatchObject({ notStarted, code: null, signal: null });
  });

  test("no such folder to work in", async () => {
    expect(await run(node(""), { cwd: "/nonexistent" })).toMatchObject({ notStarted: "ENOENT" });
  });

  test("an argument that no program can get", async () => {
    expect((await run(["true", "a\0b"])).notStarted).toBe("ERR_INVALID_ARG_VALUE");
    expect((await run(["true", "x".repeat(4_000_000)])).notStarted).toBe("E2BIG");
  });

  test("a signal that came before it", async () => {
    let started = false;
    const end = await run(node(""), { signal: AbortSignal.abort(), onStart: () => (started = true) });
    expect(end).toMatchObject({ ended: "aborted", notStarted: null });
    expect(started).toBe(false);
  });
});

describe("the whole group ends", () => {
  test.for([true, false])("when it is aborted (ignoring TERM: %s)", async (ignoring) => {
    const file = join(tempFolder(), "pids");
    const abort = new AbortController();
    const running = run(family(file, ignoring), { signal: abort.signal, graceMs: ignoring ? 50 : 30_000 });
    const pids = await pidsIn(file, 2);
    abort.abort();
    expect(await running).toMatchObject({ ended: "aborted", signal: ignoring ? "SIGKILL" : "SIGTERM" });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test("when its time is over", async () => {
    const file = join(tempFolder(), "pids");
    const end = await run(family(file, true), { timeoutMs: 500, graceMs: 50 });
    expect(end).toMatchObject({ ended: "timeout", code: null });
    expect((await pidsIn(file, 2)).filter(isAlive)).toEqual([]);
  });

  test("when it has said nothing for too long", async () => {
    expect(await run(node(LIVES), { idleTimeoutMs: 100 })).toMatchObject({ ended: "idle-timeout" });
  });

  test("when its leader has ended, also where a grandchild holds the pipe", async () => {
    const file = join(tempFolder(), "pids");
    const grandchild = `require("node:child_process").spawn("sh", ["-c", "echo $$ >> ${file}; exec tail -f /dev/null"], { stdio: "inherit" })`;
    const leader = `${grandchild}; const fs = require("node:fs"); const wait = () => (fs.existsSync(${JSON.stringify(file)}) ? process.exit(4) : setTimeout(wait, 2)); wait();`;
    expect(await run(node(leader))).toMatchObject({ ended: "exited", code: 4 });
    expect((await pidsIn(file, 1)).filter(isAlive)).toEqual([]);
  });
});

test("a group of which only the remains are left is not waited for", async (context) => {
  if (process.platform !== "linux") context.skip("needs setsid and /proc");
  // A parent outside the group never waits for its child inside: the child stays a zombie as long as the parent lives.
  const file = join(tempFolder(), "pids");
  const parent = `(true & echo $! >> ${file}; exec setsid sh -c 'echo $$ >> ${file}; exec tail -f /dev/null') > /dev/null 2>&1 &`;
  const end = run(["sh", "-c", `${parent} until [ "$(wc -l < ${file})" = 2 ]; do :; done; exit 5`], { graceMs: 600_000 });
  expect(await end).toMatchObject({ ended: "exited", code: 5 });
  process.kill((await pidsIn(file, 2))[1] ?? 0, "SIGKILL");
});

test("a grandchild that left the group and holds the pipe is not waited for", async () => {
  const daemon = `const child = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(LIVES)}], { detached: true, stdio: "inherit" }); child.unref(); console.log(child.pid);`;
  const { code, stdout } = await run(node(daemon));
  expect(code).toBe(0);
  process.kill(Number(String(stdout)), "SIGKILL");
});

test("a limit longer than a timer can be is no limit of no time", async () => {
  expect(await run(node(""), { timeoutMs: 90 * 86_400_000, idleTimeoutMs: 2 ** 40 })).toMatchObject({ ended: "exited", code: 0 });
});

test("what is said counts against silence", async () => {
  const talker = node("let n = 0; const timer = setInterval(() => { console.log(n); if (++n === 20) clearInterval(timer); }, 10);");
  expect(await run(talker, { idleTimeoutMs: 30_000 })).toMatchObject({ ended: "exited", code: 0 });
});

describe("more output than is kept", () => {
  const flood = node("for (let i = 0; i < 200_000; i++) require('node:fs').writeSync(1, i + '\\n');");
  test.for([
    [1_000, 1_000],
    [1, 1],
    [0, 0],
  ])("of a limit of %i bytes the newest stay", async ([keepBytes = 0, length]) => {
    let seen = 0;
    const { stdout, overflow } = await run(flood, { keepBytes, onOutput: (chunk) => (seen += chunk.length) });
    expect(stdout).toHaveLength(length ?? 0);
    expect("199998\n199999\n".endsWith(String(stdout).slice(-14))).toBe(true);
    expect(overflow).toBe(true);
    expect(seen).toBe(1_288_890);
  });

  test("exactly what is kept is no overflow", async () => {
    expect(await run(node("process.stdout.write('x'.repeat(100))"), { keepBytes: 100 })).toMatchObject({ overflow: false });
  });
});
