import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as yaml from "yaml";
import { GraftworkError, gateYaml, readYaml, YAML_LIMITS } from "../../../src/domain/index.ts";
import { parsePlan } from "../../../src/plan/index.ts";

const SMALL = { ...YAML_LIMITS, depth: 8 };
const brackets = "[".repeat(20_000);

describe("the gate lets through what is text", () => {
  test.for<[where: string, text: string]>([
    ["a block scalar", `a: |\n  ${brackets}\n  ${"- ".repeat(100)}\nb: 1`],
    ["a folded one in a list, with its own indent", `- >2-\n   ${brackets}\n- 1`],
    ["one that ends the text", `a: |\n ${brackets}`],
    ["double quotes over lines", `a: "${brackets}\\"\n  ${brackets}"`],
    ["single quotes", `a: 'it''s ${brackets}'`],
    ["a comment", `a: 1 # ${brackets}\n# ${brackets}\n`],
    ["a plain scalar", `a: x${brackets}\n  ${brackets} y\nb: it's ${"{".repeat(100)}`],
    ["a key", `x${brackets}: 1`],
  ])("in %s", ([, text]) => {
    expect(gateYaml(text)).toBe(null);
  });
});

describe("the gate stops, with the place, what would hurt the parser", () => {
  test.for<[what: string, text: string, place: string]>([
    ["brackets", brackets, "1:65"],
    ["braces after a quoted string with a bracket", `a: "]"\nb: ${"{a: ".repeat(1000)}`, "2:256"],
    ["dashes on one line", "- ".repeat(20_000), "1:129"],
    ["keys on one line", "? ".repeat(20_000), "1:129"],
    ["indentation", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "65:66"],
    ["brackets after an unclosed quote that its line ends", `a: "x\nb: ${brackets}\n"`, "2:67"],
  ])("%s", ([, text, place]) => {
    const finding = gateYaml(text);
    expect(`${finding?.line}:${finding?.column}`).toBe(place);
    expect(finding?.message).toBe("nested deeper than 64 levels");
  });

  test.for<[what: string, text: string, message: string]>([
    ["comments", "#\n".repeat(600_001), "more than 600000 lines besides texts"],
    ["blank lines in brackets", `[${"\n".repeat(600_001)}`, "more than 600000 lines besides texts"],
    ["values without keys", "'' ".repeat(5000), "more than 1000 values without a key or a dash"],
    ["closing brackets", "]".repeat(5000), "more than 1000 values without a key or a dash"],
    ["aliases side by side", "[*a *a *a]".repeat(5000), "more than 1000 values without a key or a dash"],
    ["anchors", "&a ".repeat(20_000), "more than 10000 tags and anchors"],
    ["documents", "---\n".repeat(200), "more than 100 documents"],
  ])("%s that the parser would report one by one", ([, text, message]) => {
    expect(gateYaml(text)?.message).toBe(message);
  });

  test("lists, maps and texts that are too long, and control characters", () => {
    expect(gateYaml("- a\n".repeat(20_001))?.message).toBe("more than 20000 entries in one list or map");
    expect(gateYaml(`[${"1,".repeat(20_001)}]`)?.message).toBe("more than 20000 entries in one list or map");
    expect(gateYaml(`tasks:\n${"- id: a\n".repeat(20_001)}`)?.message).toBe("more than 20000 entries in one list or map");
    expect(gateYaml(`- [${"1,".repeat(15_000)}]\n`.repeat(50))?.message).toBe("more than 600000 entries in all");
    expect(gateYaml("x".repeat(16 * 2 ** 20 + 1))?.message).toBe("the text is larger than 16 MiB");
    expect(gateYaml("a: 1\nb: \u0000")).toMatchObject({ line: 2, column: 4 });
    expect(gateYaml("a: 1\rb: 2")).toMatchObject({ line: 1, column: 5 });
  });
});

/** How deep the parser nests a text. */
function depthOf(text: string): number {
  const walk = (node: unknown, depth: number): number => {
    if (typeof node !== "object" || node === null) return depth;
    const { items, value } = node as { items?: unknown[]; value?: unknown };
    const own = depth + (Array.isArray(items) ? 1 : 0);
    const below = [
      ...(items ?? []).flatMap((item) =>
        typeof item === "object" && item !== null && "key" in item ? [item.key, (item as { value?: unknown }).value] : [item],
      ),
      items === undefined ? value : null,
    ];
    return Math.max(own, ...below.map((one) => walk(one, own)));
  };
  return walk(yaml.parseDocument(text).contents, 0);
}

describe("against the parser itself", () => {
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 12 },
      fc.string(),
      fc.constantFrom("[[[", "it's", '"', "- x", "a: b", "{", "x # y", "multi\nline [\n  {"),
      fc.integer(),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }),
    ),
  })).value;

  test("what it writes, in any style, passes exactly as deep as it is", () => {
    fc.assert(
      fc.property(
        values,
        fc.constantFrom<yaml.ToStringOptions[]>(
          {},
          { defaultStringType: "QUOTE_SINGLE" },
          { defaultStringType: "BLOCK_LITERAL" },
          { collectionStyle: "flow" },
          { indentSeq: false },
          { lineWidth: 20 },
        ),
        (value, style) => {
          const text = yaml.stringify(value, { ...style, aliasDuplicateObjects: false });
          if (gateYaml(text)?.message.startsWith("the text holds") === true) return;
          const depth = depthOf(text);
          expect(gateYaml(text, { ...YAML_LIMITS, depth })).toBe(null);
          if (depth > 1) expect(gateYaml(text, { ...YAML_LIMITS, depth: Math.floor((depth - 1) / 2) })).not.toBe(null);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("broken text repeated for ever never ends the process, and is refused with a place", () => {
    const parts = fc.constantFrom(
      "- ",
      "? ",
      ": ",
      "a",
      "a: ",
      "[",
      "]",
      "{",
      "}",
      ",",
      '"',
      "'",
      "\n",
      " ",
      "  ",
      "|",
      ">-",
      "#",
      "&a ",
      "!t ",
      "*a",
      "---",
      "...",
      "%y",
      "\t",
      "\r\n",
      "\n  ",
      "\n- ",
      "k:\n  ",
    );
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 8 }), fc.array(parts, { maxLength: 3 }), (repeated, before) => {
        const text = before.join("") + repeated.join("").repeat(2000);
        const { value, findings } = readYaml(text, yaml);
        expect(value !== undefined || findings.length > 0).toBe(true);
        for (const finding of findings) expect(finding.line).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test("mutated plans are taken or refused as plans", () => {
    const seed =
      "version: 1\nname: x\nverification: [npm test, {run: [a, b], timeout: 5m}]\ntasks:\n  - id: a\n    description: |\n      do\n    files: &f [a.ts]\n  - id: b\n    depends_on: [a]\n    files: *f\n";
    const edit = fc.record({
      at: fc.nat(seed.length),
      cut: fc.nat(6),
      put: fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom("[", "]", "\n", "\t", "&a", "*f", "__proto__", "'", '"', ": ", "- ", "\u0000"),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const text = edits.reduce((before, { at, cut, put }) => before.slice(0, at) + put + before.slice(at + cut), seed);
        try {
          parsePlan(text, { path: "p" });
        } catch (error) {
          if (!(error instanceof GraftworkError) || error.code !== "PLAN_INVALID") throw error;
          expect(error.because).toMatch(/^p:\d+:\d+ ./);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the text", () => {
  const read = (text: string) => readYaml(text, yaml).findings.map(({ line, column, message }) => `${line}:${column} ${message}`);

  test.for<[text: string, finding: string]>([
    ["a: 1\nb:\n  c: 1\n  c: 2", '4:3 the key "c" stands here twice'],
    ["a: 1\n---\nb: 2", "2:1 a second document begins here: only one is read"],
    ["a:\n\tb: 1", "2:1 Tabs are not allowed as indentation"],
    ["a: *x", "1:4 the alias `*x` has no anchor before it"],
    [`a: &x 1\nb: [${"*x,".repeat(101)}]`, "2:305 more than 100 aliases (`*name`)"],
    ["a: [1", "1:6 Flow sequence"],
    ["x: y: z", "1:4 Nested mappings are not allowed in compact mappings"],
  ])("%j is refused", ([text, finding]) => {
    expect(read(text)[0]).toContain(finding);
  });

  test("a bomb of aliases is not unfolded", () => {
    let bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (let i = 1; i < 10; i++)
      bomb += `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(",")}]\n`;
    expect(read(bomb)[0]).toMatch(/^1:1 not readable as YAML: Excessive alias count/);
  });

  test("a map of very many keys costs no more than its length", () => {
    const keys = Array.from({ length: 19_000 }, (_, i) => `k${i}: 1`).join("\n");
    expect(read(keys)).toEqual([]);
  });

  test("nothing reaches a prototype", () => {
    const { value } = readYaml('{"__proto__": {"polluted": 1}, "a": {"__proto__": {"polluted": 1}}}', yaml);
    expect(Object.keys(value as object)).toEqual(["__proto__", "a"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  test("what the parser repeats in a message is cut", () => {
    expect(read(`a: ${"!".repeat(5000)} b`)[0]?.length).toBeLessThan(400);
    expect(read(`"${"k".repeat(5000)}": 1\n"${"k".repeat(5000)}": 1`)[0]?.length).toBeLessThan(400);
  });

  test("small limits hold too", () => {
    expect(gateYaml("[[[[[[[[1]]]]]]]]", SMALL)).toBe(null);
    expect(gateYaml("[[[[[[[[[1]]]]]]]]]", SMALL)).not.toBe(null);
  });
});
