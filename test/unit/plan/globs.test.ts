import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import { filesMatcher, globsMayOverlap } from "../../../src/plan/index.ts";

describe("two globs", () => {
  test.for<[a: string, b: string]>([
    ["src/a.ts", "src/b.ts"],
    ["src/a.ts", "src/a.tsx"],
    ["src/**", "test/**"],
    ["src/*.ts", "src/*.css"],
    ["src/*.ts", "src/sub/a.ts"],
    ["src/a/**", "src/b/**/*.ts"],
    ["src/auth*.ts", "src/cart*.ts"],
    ["**/*.md", "src/**/*.ts"],
    ["src/?.ts", "src/*.test.js"],
    ["a", "ab"],
    ["src/{a,b}/x.ts", "test/x.ts"],
  ])("%s and %s cannot name one file", ([a, b]) => {
    expect([globsMayOverlap(a, b), globsMayOverlap(b, a)]).toEqual([false, false]);
  });

  test.for<[a: string, b: string]>([
    ["src/a.ts", "src/a.ts"],
    ["README.md", "readme.MD"],
    ["src/**", "src/deep/a.ts"],
    ["**", "anything"],
    ["**/*.ts", "src/**"],
    ["src/*", "src/a.ts"],
    ["src", "src/a.ts"],
    ["src/**", "src"],
    ["src/{a,b}.ts", "src/c.ts"],
    ["src/@(a|b).ts", "src/c.ts"],
    ["src/[ab]+.ts", "src/a.ts"],
    ["*/a.ts", "src/*"],
    ["!(a)/b", "c/b"],
  ])("%s and %s may", ([a, b]) => {
    expect([globsMayOverlap(a, b), globsMayOverlap(b, a)]).toEqual([true, true]);
  });

  const part = fc.oneof(
    fc.constantFrom(
      "a",
      "b",
      "ab",
      "*",
      "**",
      "a*",
      "*b",
      "*.ts",
      "?",
      "[ab]",
      "[!a]b",
      "{a,b}",
      "{a,b/c}",
      "@(a|ab)",
      "!(a)",
      "+(a|b)",
      "a**",
      "**b",
      ".x",
      "a.ts",
      "[ab]+",
      "a?b",
      "*a*",
    ),
    fc.string({
      unit: fc.constantFrom("a", "b", "*", "?", "[", "]", "!", "{", "}", ",", "(", ")", "|", "+", "@", ".", "-"),
      minLength: 1,
      maxLength: 5,
    }),
  );
  const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
  const path = fc
    .array(fc.constantFrom("a", "b", "ab", "aab", "c", ".x", "a.ts", "b.ts", "*", "x"), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join("/"));
  const matches = (pattern: string): ((path: string) => boolean) => {
    try {
      return picomatch(pattern, { dot: true });
    } catch {
      return () => false;
    }
  };

  test("that both match some path may overlap, always", () => {
    fc.assert(
      fc.property(glob, glob, fc.array(path, { minLength: 20, maxLength: 40 }), (a, b, paths) => {
        const [inA, inB] = [matches(a), matches(b)];
        if (paths.some((one) => inA(one) && inB(one))) expect(globsMayOverlap(a, b)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  test("a glob may overlap with each path it matches", () => {
    fc.assert(
      fc.property(glob, path, (a, one) => {
        if (matches(a)(one)) expect([globsMayOverlap(a, one), globsMayOverlap(one, a)]).toEqual([true, true]);
      }),
      { numRuns: 5000 },
    );
  });

  test("the answer does not depend on their order", () => {
    fc.assert(fc.property(glob, glob, (a, b) => globsMayOverlap(a, b) === globsMayOverlap(b, a)));
  });
});

test("the files of a task are those its globs name, and all in a folder named plainly", () => {
  const isOurs = filesMatcher(["src/auth", "docs/*.md", "lib/**"]);
  expect(["src/auth", "src/auth/a.ts", "docs/a.md", "lib/.env", "lib/x/y"].map(isOurs)).toEqual([true, true, true, true, true]);
  expect(["src/authx", "docs/a/b.md", "a"].map(isOurs)).toEqual([false, false, false]);
});
