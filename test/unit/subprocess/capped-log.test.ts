import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openCappedLog } from "../../../src/subprocess/index.ts";
import { tempFolder } from "../../fixtures/index.ts";

/** What both files together hold, oldest first. */
function contentOf(path: string): string {
  return [`${path}.1`, path].map((file) => (existsSync(file) ? readFileSync(file, "utf8") : "")).join("");
}

test("keeps all of a short output, in a folder made for it", () => {
  const path = join(tempFolder(), "logs", "task", "1.log");
  const log = openCappedLog(path, 1_000);
  log.write("one\n");
  log.write(Buffer.from("two\n"));
  log.close();
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("never holds more than its limit, and always the newest bytes", () => {
  const path = join(tempFolder(), "a.log");
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary-ascii", maxLength: 60 }), { maxLength: 40 }),
      fc.integer({ min: 2, max: 100 }),
      (chunks, max) => {
        const log = openCappedLog(path, max);
        for (const chunk of chunks) log.write(chunk);
        log.close();
        const held = contentOf(path);
        expect(held.length).toBeLessThanOrEqual(max);
        expect(chunks.join("").endsWith(readFileSync(path, "utf8"))).toBe(true);
      },
    ),
  );
});

test("one write that is larger than the limit leaves its end", () => {
  const path = join(tempFolder(), "a.log");
  const log = openCappedLog(path, 10);
  log.write("0123456789abcdef");
  log.close();
  expect(contentOf(path)).toBe("bcdef");
});

test("the older part of an earlier log does not pass for its own", () => {
  const path = join(tempFolder(), "a.log");
  writeFileSync(`${path}.1`, "of another attempt");
  openCappedLog(path, 100).close();
  expect(contentOf(path)).toBe("");
});

test("a log that can no longer be written says nothing and holds nothing up", (context) => {
  if (process.platform !== "linux") context.skip("needs /dev/full");
  const log = openCappedLog("/dev/full", 1_000);
  log.write("a");
  log.write("b");
  log.close();
  log.write("after the end");
  log.close();
});
