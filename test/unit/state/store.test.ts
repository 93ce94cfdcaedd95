import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../../src/domain/index.ts";
import { beginJournal, openStore, readJournal, replaceFile, type StoreOptions, withMutex } from "../../../src/state/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { tempFolder } from "../../fixtures/index.ts";

type Counter = { count: number; ops: string[] };
const counter = (dir: string, more: Partial<StoreOptions<Counter>> = {}) =>
  openStore<Counter>({
    dir,
    schema: 1,
    initial: { count: 0, ops: [] },
    parse: (value) => value as Counter,
    applied: (state, op) => state.ops.includes(op),
    keep: 4,
    ...more,
  });
const add =
  (op: string) =>
  (state: Counter): Counter => ({ count: state.count + 1, ops: [...state.ops, op] });

describe("generation store", () => {
  test("twenty writers side by side lose nothing, with the waiting room and without", async () => {
    for (const waitingRoom of [true, false]) {
      const dir = join(tempFolder("store"), "s");
      const writers = Array.from({ length: 20 }, () => counter(dir, { waitingRoom }));
      await Promise.all(writers.flatMap((store, n) => Array.from({ length: 5 }, (_, k) => store.commit(`${n}.${k}`, add(`${n}.${k}`)))));
      expect(writers[0]?.read().state.count).toBe(100);
    }
  });

  test("a writer that slept while its number was made, removed and free again does not believe that it won", async () => {
    const dir = join(tempFolder("store"), "s");
    const fast = counter(dir);
    let naps = 1;
    const slow = counter(dir, {
      // Between reading and linking, others go on for far more than `keep` generations.
      beforeLink: () => {
        if (naps-- <= 0) return;
        // The commits below run at once: the store's first try needs no waiting.
        for (let n = 0; n < 40; n++) void fast.commit(`fast ${n}`, add(`fast ${n}`));
      },
    });
    const { state } = await slow.commit("slow", add("slow"));
    expect(state.ops.filter((op) => op === "slow")).toHaveLength(1);
    expect(fast.read().state).toMatchObject({ count: 41 });
    expect(new Set(fast.read().state.ops).size).toBe(41);
  });

  test("where the file system has no hard links, records are folders, and twenty writers lose nothing either", async () => {
    const dir = join(tempFolder("store"), "s");
    counter(dir);
    const writer = fileURLToPath(new URL("writer.ts", import.meta.url));
    const bundle = join(tempFolder("bundle"), "writer.mjs");
    await build({ entryPoints: [writer], outfile: bundle, bundle: true, platform: "node", format: "esm", logLevel: "error" });
    const run = (name: string) =>
      new Promise<number | null>((resolve) => {
        const env = { ...process.env, GRAFTWORK_FAILPOINT: "fs.link=throw:EPERM,waiting-room=off" };
        spawn(process.execPath, [bundle, dir, name, "10"], { env, stdio: "inherit" }).on("close", resolve);
      });
    expect(await Promise.all(["a", "b", "c", "d"].map(run))).toEqual([0, 0, 0, 0]);
    const { state, generation } = counter(dir).read();
    expect([state.count, new Set(state.ops).size, generation]).toEqual([40, 40, 41]);
    const newest = readdirSync(dir).sort().at(-1) ?? "";
    expect(readdirSync(join(dir, newest))).toEqual(["record.json"]);
  });

  test("nothing to change writes nothing; the same operation twice is once", async () => {
    const dir = join(tempFolder("store"), "s");
    const store = counter(dir);
    expect(await store.commit("none", () => undefined)).toMatchObject({ changed: false, generation: 1 });
    await store.commit("one", add("one"));
    expect(await store.commit("one", add("one"))).toMatchObject({ generation: 2, state: { count: 1 } });
  });

  test("old records go, so the folder stays small", async () => {
    const dir = join(tempFolder("store"), "s");
    const store = counter(dir);
    for (let n = 0; n < 100; n++) await store.commit(String(n), add(String(n)));
    expect(readdirSync(dir).length).toBeLessThan(25);
  });

  test("a damaged head is said, never guessed; put aside, the one before counts", async () => {
    const dir = join(tempFolder("store"), "s");
    const store = counter(dir);
    await store.commit("one", add("one"));
    await store.commit("two", add("two"));
    const head = join(dir, "000000000003.json");
    const whole = readFileSync(head);
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(head, whole);
      truncateSync(head, length);
      expect(() => store.read()).toThrow(expect.objectContaining({ code: "STATE_DAMAGED" }));
    }
    expect(existsSync(store.setAsideDamaged() ?? "")).toBe(true);
    expect(store.read().state.ops).toEqual(["one"]);
  });

  test("a newer format is refused, an older one is migrated", async () => {
    const dir = join(tempFolder("store"), "s");
    await counter(dir, { schema: 2 }).commit("one", add("one"));
    expect(() => counter(dir).read()).toThrow(expect.objectContaining({ code: "STATE_NEWER" }));
    const migrated = counter(dir, { schema: 3, migrate: (value, from) => ({ ...(value as Counter), ops: [`from ${from}`] }) });
    expect(migrated.read().state.ops).toEqual(["from 2"]);
  });
});

describe("mutex", () => {
  test("one at a time, and a dead holder is passed over at once", async () => {
    const dir = join(tempFolder("mutex"), "m");
    const dead = { nonce: "x", process: { ...identityOf(process.pid), startTime: "long ago" } };
    const store = openStore<{ holder: unknown }>({
      dir,
      schema: 1,
      initial: { holder: dead },
      parse: (value) => value as { holder: unknown },
    });
    expect(store.read().generation).toBe(1);
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withMutex(
          dir,
          async () => {
            most = Math.max(most, ++inside);
            await new Promise((resolve) => setImmediate(resolve));
            inside -= 1;
          },
          { timeoutMs: 20_000 },
        ),
      ),
    );
    expect(most).toBe(1);
  });
});

describe("journal", () => {
  const warning = (text: string): RunEvent => ({ type: "warning", task: null, text });
  const texts = (dir: string): string[] => readJournal(dir).lines.map(({ event }) => (event.type === "warning" ? event.text : ""));

  test("a torn last line is dropped and said; a damaged one in the middle is refused", () => {
    const dir = tempFolder("journal");
    const journal = beginJournal(dir, 1, () => new Date(0));
    journal.append(warning("one"));
    journal.append(warning("two"));
    const path = join(dir, "journal.1.jsonl");
    const whole = readFileSync(path);
    truncateSync(path, whole.length - 5);
    expect(readJournal(dir)).toMatchObject({ tornTail: true, lines: [{ seq: 1 }] });
    writeFileSync(path, whole.toString("utf8").replace('"one"', '"one'));
    expect(() => readJournal(dir)).toThrow(expect.objectContaining({ code: "JOURNAL_DAMAGED" }));
  });

  test("a take-over seals what was written: the former owner is told, and what it still writes is never read", () => {
    const dir = tempFolder("journal");
    const first = beginJournal(dir, 1, () => new Date(0));
    first.append(warning("a1"));
    appendFileSync(join(dir, "journal.1.jsonl"), '{"torn');
    const second = beginJournal(dir, 2, () => new Date(0));
    second.append(warning("b2"));
    expect(() => first.append(warning("a2"))).toThrow(expect.objectContaining({ code: "FENCED" }));
    appendFileSync(join(dir, "journal.1.jsonl"), "later noise\n");
    expect(texts(dir)).toEqual(["a1", "b2"]);
    expect(readJournal(dir).lines.map((line) => line.seq)).toEqual([1, 2]);
  });
});

describe("views", () => {
  test("a file that cannot be replaced keeps its old text", () => {
    const dir = tempFolder("view");
    const path = join(dir, "view");
    replaceFile(path, "old");
    mkdirSync(join(dir, "folder/inner"), { recursive: true });
    expect(() => replaceFile(join(dir, "folder"), "text")).toThrow(expect.objectContaining({ code: "STATE_UNWRITABLE" }));
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(dir).sort()).toEqual(["folder", "view"]);
  });
});
