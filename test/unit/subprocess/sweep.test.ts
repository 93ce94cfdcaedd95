import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeEach, describe, expect, test } from "vitest";
import { findProcesses, runCommand, sweepProcesses } from "../../../src/subprocess/index.ts";
import { hermeticEnv, tempFolder } from "../../fixtures/index.ts";
import { isAlive, LIVES, node, pidsIn, startReady } from "./programs.ts";

let folder = "";
let marker = "";

beforeEach(() => {
  folder = realpathSync(tempFolder("slot"));
  marker = `GRAFTWORK_LEASE=${folder}`;
});

const byMarker = () => ({ markers: [marker], folders: [] });
const byFolder = () => ({ markers: [], folders: [folder] });
const lease = () => ({ GRAFTWORK_LEASE: folder });

describe("finds", () => {
  test("by its marker, wherever it works", async () => {
    const child = await startReady(LIVES, { env: lease() });
    expect(findProcesses(byMarker())).toEqual([child.pid]);
  });

  test("by its folder, whatever its environment", async () => {
    const child = await startReady(LIVES, { cwd: folder });
    expect(findProcesses(byFolder())).toEqual([child.pid]);
  });

  test("below the folder, and where the folder is no more", async () => {
    const below = join(folder, "a", "b");
    mkdirSync(below, { recursive: true });
    const pids = [(await startReady(LIVES, { cwd: below })).pid, (await startReady(LIVES, { cwd: folder })).pid];
    rmSync(folder, { recursive: true });
    expect(findProcesses(byFolder())).toEqual(expect.arrayContaining(pids));
  });

  test("nobody with another marker or in a folder of a similar name", async () => {
    const beside = `${folder}-2`;
    mkdirSync(beside);
    await startReady(LIVES, { cwd: beside, env: { GRAFTWORK_LEASE: `${folder}0`, OTHER: marker } });
    expect(findProcesses({ markers: [marker], folders: [folder] })).toEqual([]);
    rmSync(beside, { recursive: true });
  });
});

describe("ends", () => {
  test("what left its process group and its session", async () => {
    const file = join(folder, "pids");
    const daemon = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(LIVES)}], { detached: true, stdio: "ignore" })`;
    const end = await runCommand({
      argv: node(`const child = ${daemon}; child.unref(); require("node:fs").writeFileSync(process.argv[1], child.pid + "\\n");`, file),
      cwd: "/",
      env: { ...hermeticEnv(), ...lease() },
    });
    expect(end.code).toBe(0);
    const [pid = 0] = await pidsIn(file, 1);
    expect(isAlive(pid)).toBe(true);
    expect(await sweepProcesses(byMarker(), 5_000)).toEqual([pid]);
    expect(isAlive(pid)).toBe(false);
  });

  test("what threw its environment away", async () => {
    const child = await startReady(LIVES, { cwd: folder, env: {}, detached: true });
    expect(await sweepProcesses({ markers: [marker], folders: [folder] }, 5_000)).toEqual([child.pid]);
    expect(isAlive(child.pid)).toBe(false);
  });

  test("what ignores TERM", async () => {
    const child = await startReady(`process.on("SIGTERM", () => {}); ${LIVES}`, { env: lease() });
    expect(await sweepProcesses(byMarker(), 50)).toEqual([child.pid]);
    expect(isAlive(child.pid)).toBe(false);
  });

  test("what it forks on TERM, in another round", async () => {
    const file = join(folder, "pids");
    const heir = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(LIVES)}], { detached: true, stdio: "ignore" }).pid`;
    const child = await startReady(
      `process.on("SIGTERM", () => { require("node:fs").writeFileSync(${JSON.stringify(file)}, ${heir} + "\\n"); process.exit(); }); ${LIVES}`,
      { env: lease() },
    );
    const ended = await sweepProcesses(byMarker(), 5_000);
    const [pid = 0] = await pidsIn(file, 1);
    expect(ended.toSorted()).toEqual([child.pid, pid].toSorted());
    expect(isAlive(pid)).toBe(false);
  });

  test("nobody where there is nobody", async () => {
    expect(await sweepProcesses(byMarker(), 0)).toEqual([]);
    expect(await sweepProcesses({ markers: [], folders: [] }, 0)).toEqual([]);
  });
});

test("whoever asks, and its ancestors, live on", async () => {
  // As when an agent in a slot calls `release`: a shell with the marker, in the folder, runs the program that sweeps.
  const program = join(tempFolder(), "sweep.mjs");
  await build({
    stdin: {
      contents: `import { sweepProcesses } from "./sweep.ts";
        console.log(JSON.stringify(await sweepProcesses({ markers: [process.env.MARKER], folders: [process.cwd()] }, 5_000)));`,
      resolveDir: join(import.meta.dirname, "../../../src/subprocess"),
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: program,
  });
  const sibling = await startReady(LIVES, { cwd: folder });
  const { stdout, code } = await runCommand({
    argv: ["sh", "-c", '"$0" "$1"; echo "the shell lives"', process.execPath, program],
    cwd: folder,
    env: { ...hermeticEnv(), ...lease(), MARKER: marker },
  });
  expect([code, String(stdout)]).toEqual([0, `[${sibling.pid}]\nthe shell lives\n`]);
});
