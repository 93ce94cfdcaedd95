import { linkSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { beginJournal, readJournal, withMutex } from "../../../src/state/index.ts";
import { tempFolder } from "../../fixtures/index.ts";

const now = (): Date => new Date(0);
const warning = (text: string) => ({ type: "warning", task: null, text }) as const;

test("a seal that was cut off while it was written hides nothing", () => {
  const dir = tempFolder("journal");
  const first = beginJournal(dir, 1, now);
  first.append(warning("one"));
  first.append(warning("two"));
  first.close();
  writeFileSync(join(dir, "journal.1.seal"), "");
  expect(readJournal(dir).lines).toHaveLength(2);
  const second = beginJournal(dir, 2, now);
  expect(() => first.append(warning("late"))).toThrow(/no longer owns/);
  expect(second.append(warning("three")).seq).toBe(3);
  second.close();
  expect(readJournal(dir).lines).toHaveLength(3);
});

test("an epoch that was given out before is refused with a reason", () => {
  const dir = tempFolder("journal");
  beginJournal(dir, 1, now).close();
  expect(() => beginJournal(dir, 1, now)).toThrow(expect.objectContaining({ code: "FENCED" }));
});

test("a mutex whose newest record a power cut emptied is free", async () => {
  const dir = join(tempFolder("mutex"), "m");
  await withMutex(dir, async () => undefined);
  const newest =
    readdirSync(dir)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .at(-1) ?? "";
  const next = String(Number(newest.slice(0, 12)) + 1).padStart(12, "0");
  writeFileSync(join(dir, "tmp.empty"), "");
  linkSync(join(dir, "tmp.empty"), join(dir, `${next}.json`));
  expect(await withMutex(dir, async () => "in")).toBe("in");
});
