import { expect, test } from "vitest";
import { excerptOf } from "../../../src/qa/excerpt.ts";

const DIR = "/cache/qa/1.ab/1/work";

test.for<[what: string, output: string, excerpt: string]>([
  [
    "keeps the last lines",
    `${Array.from({ length: 100 }, (_, i) => `line ${i}`).join("\n")}\n`,
    Array.from({ length: 60 }, (_, i) => `line ${i + 40}`).join("\n"),
  ],
  [
    "drops what npm adds below a script that failed",
    "1 of 2 failed\n\nnpm error Lifecycle script `test` failed with error:\nnpm error code 1\n",
    "1 of 2 failed",
  ],
  ["keeps what npm says where it says all there is", 'npm error Missing script: "test"\n', 'npm error Missing script: "test"'],
  ["names files as the project does", `at ${DIR}/src/a.js:1 (file://${DIR}/src/b.js)`, "at src/a.js:1 (src/b.js)"],
  ["shows nothing that repaints the terminal", "\u001b[31mred\u001b[0m PASS\rFAIL", "red PASS␍FAIL"],
  ["hides passwords in addresses", "GET https://me:secret@host/x", "GET https://***@host/x"],
  ["is empty where nothing was printed", "", ""],
])("%s", ([, output, excerpt]) => {
  expect(excerptOf(output, DIR)).toBe(excerpt);
});

test("never has more than 4 kB, and cuts no character", () => {
  expect(excerptOf("é".repeat(10_000), DIR)).toBe("é".repeat(2_000));
  const lines = excerptOf(`${"x".repeat(300)}\n`.repeat(50), DIR);
  expect(Buffer.byteLength(lines)).toBeLessThanOrEqual(4_000);
  expect(new Set(lines.split("\n"))).toEqual(new Set(["x".repeat(300)]));
});
