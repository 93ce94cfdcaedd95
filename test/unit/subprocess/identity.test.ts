import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { identityOf, livenessOf } from "../../../src/subprocess/index.ts";
import { tempFolder } from "../../fixtures/index.ts";
import { LIVES, startReady } from "./programs.ts";

const own = identityOf(process.pid);

test("we are alive", () => {
  expect(livenessOf(own)).toBe("alive");
  expect(identityOf(process.pid)).toEqual(own);
});

test.for([
  ["another start time: the number was given again", { ...own, startTime: "1" }, "dead"],
  ["another boot", { ...own, bootId: "x" }, "dead"],
  ["another host", { ...own, host: "elsewhere/pid:[1]" }, "unknown"],
  ["another host and boot", { ...own, host: "elsewhere/pid:[1]", bootId: "x" }, "unknown"],
  ["a number that nobody has", { ...own, pid: 2 ** 22 + 1 }, "dead"],
] as const)("%s", ([, process, liveness]) => {
  expect(livenessOf(process)).toBe(liveness);
});

test("who was never there has no identity that lives", () => {
  expect(livenessOf(identityOf(2 ** 22 + 1))).toBe("dead");
});

test("a process is alive until it has ended", async () => {
  const child = await startReady(LIVES);
  const identity = identityOf(child.pid);
  expect(livenessOf(identity)).toBe("alive");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  expect(livenessOf(identity)).toBe("dead");
});

test("the remains of a process that nobody has waited for are dead", async () => {
  // A shell that waits for nothing: its child is a zombie as soon as it has ended.
  const child = spawn("sh", ["-c", "sh -c 'echo $$' & exec tail -f /dev/null"], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  const pid = Number(String(said));
  const identity = identityOf(pid);
  while (livenessOf(identityOf(pid)) === "alive") await new Promise(setImmediate);
  expect(livenessOf(identity)).toBe("dead");
  child.kill("SIGKILL");
});

test("a program's odd name does not confuse the fields", async (context) => {
  if (!existsSync("/proc/self/stat")) context.skip("no /proc");
  const program = join(tempFolder(), "nm) S 1 (x");
  copyFileSync(spawnSync("sh", ["-c", "command -v tail"], { encoding: "utf8" }).stdout.trim(), program);
  const child = spawn(program, ["-f", "/dev/null"], { stdio: "ignore" });
  await once(child, "spawn");
  const identity = identityOf(child.pid ?? 0);
  expect(identity.startTime).toMatch(/^\d{3,}$/);
  expect(livenessOf(identity)).toBe("alive");
  child.kill("SIGKILL");
});
