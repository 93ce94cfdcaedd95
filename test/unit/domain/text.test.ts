import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanLine, cleanText, inCode, terminalText, visibleText } from "../../../src/domain/index.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const BAD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e0fff}]/u;

const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      "\u001b",
      "[",
      "]",
      "0;",
      "m",
      "\u0007",
      "\u009b",
      "\r",
      "\n",
      "\t",
      "\u202e",
      "\u2028",
      "\u{e0049}",
      "\u{e0002}",
      "\u{e0101}",
      "\u2065",
      "`",
      "\u00ad",
    ),
    fc.string({ unit: "binary" }),
  ),
  { maxLength: 60 },
);

describe("the cleaner", () => {
  test("leaves no control, direction or tag character of any text", () => {
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join("");
        expect(cleanText(text)).not.toMatch(BAD);
        expect(cleanLine(text)).not.toMatch(/[\n\t]/);
        expect(terminalText(text, false)).not.toMatch(BAD);
        expect(inCode(text).slice(1, -1)).not.toContain("`");
        expect(visibleText(text).replaceAll("\n", "")).not.toMatch(BAD);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["a hyperlink", "see \u001b]8;;http://elsewhere\u0007this\u001b]8;;\u0007", "see this"],
    ["a title", "\u001b]0;root\u0007x", "x"],
    ["a cleared screen", "\u001b[2Jx", "x"],
    ["a sequence that never ends", "\u001b]0;x", "]0;x"],
    ["a line break of Unicode's own", "a\u2028## Heading", "a ## Heading"],
  ])("takes out %s", (_, text, clean) => expect(cleanText(text)).toBe(clean));

  test("keeps letters of any language, tabs and line breaks", () => {
    const text = "naïve\tΩ 漢字 🙂 e\u0301\nnext";
    expect(cleanText(text)).toBe(text);
  });

  test("lets our own colours through to a terminal that wants them, and nothing else", () => {
    expect(terminalText("\u001b[31mred\u001b[39m\u001b[2J", true)).toBe("\u001b[31mred\u001b[39m");
    expect(terminalText("\u001b[31mred\u001b[39m", false)).toBe("red");
  });

  test("shows hidden letters of a command as what they are", () => expect(visibleText("rm\u202e x\u0007")).toBe("rm\\u{202e} x\\u{7}"));
});
