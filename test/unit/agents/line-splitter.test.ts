import * as fc from "fast-check";
import { expect, test } from "vitest";
import { splitLines } from "../../../src/agents/line-splitter.ts";
import { readingOf, recording } from "./reading-of.ts";

function linesOf(chunks: readonly Uint8Array[], maxBytes = 1_000): string[] {
  const lines: string[] = [];
  const splitter = splitLines(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.add(chunk);
  splitter.end();
  return lines;
}

/** Cuts bytes at the places given. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

test.for<[what: string, text: string, lines: string[]]>([
  ["ends with a newline", "a\nb\n", ["a", "b"]],
  ["or does not", "a\nb", ["a", "b"]],
  ["empty lines stay", "\n\na", ["", "", "a"]],
  ["Windows ends go", "a\r\nb\r", ["a", "b"]],
  ["nothing is no line", "", []],
])("%s", ([, text, lines]) => {
  expect(linesOf([Buffer.from(text)])).toEqual(lines);
});

test("invalid bytes become one sign, the rest of the line stays", () => {
  expect(linesOf([Buffer.from([0x61, 0xff, 0xfe, 0x62, 0x0a, 0x63])])).toEqual(["a\ufffd\ufffdb", "c"]);
});

test("a line that is too long is left out, and the next one is whole again", () => {
  expect(
    linesOf(
      ["short\n", "x".repeat(8), "x".repeat(8), "\nnext\n", "y".repeat(20)].map((text) => Buffer.from(text)),
      10,
    ),
  ).toEqual(["short", "next"]);
});

test("a chunk that is used again after it was handed over changes nothing", () => {
  const lines: string[] = [];
  const splitter = splitLines(100, (line) => lines.push(line));
  const shared = Buffer.from("abc");
  splitter.add(shared);
  shared.fill("z");
  splitter.add(Buffer.from("\n"));
  expect(lines).toEqual(["abc"]);
});

test("however a stream is cut, its lines are the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), fc.array(fc.nat(400), { maxLength: 12 }), (text, places) => {
      const bytes = Buffer.from(text);
      expect(linesOf(cut(bytes, places))).toEqual(linesOf([bytes]));
    }),
  );
});

test.for([
  ["claude-stream-json", "claude-normal"],
  ["claude-stream-json", "claude-two-results"],
  ["codex-json", "codex-normal"],
  ["text", "claude-api-error"],
] as const)("however a stream is cut, a report of %s is the same (%s)", ([format, name]) => {
  const bytes = recording(name);
  const whole = readingOf(format, [bytes]);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (places) => {
      expect(readingOf(format, cut(bytes, places))).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

test.for(["claude-stream-json", "codex-json", "text"] as const)("no bytes make a reader of %s throw", (format) => {
  const source = Buffer.concat([recording("claude-two-results"), recording("codex-normal")]);
  const mutated = fc.array(fc.tuple(fc.nat(source.length - 1), fc.nat(255)), { maxLength: 60 }).map((changes) => {
    const bytes = Buffer.from(source);
    for (const [at, byte] of changes) bytes[at] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(mutated, (bytes) => {
      const { words, shown } = readingOf(format, [bytes]);
      expect(typeof words).toBe("string");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may reach a terminal
      expect(shown.join("\n")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 60 },
  );
});
