import { expect, test } from "vitest";
import { placesBehind } from "../../../src/git/symlinks.ts";

test.each<[texts: Record<string, string>, link: string, places: string[]]>([
  [{ "CLAUDE.md": "docs/AI.md" }, "CLAUDE.md", ["docs/AI.md"]],
  [{ "CLAUDE.md": "rules/guide.md", rules: "packages/shared" }, "CLAUDE.md", ["rules", "packages/shared/guide.md"]],
  // A system goes up from where the link leads, not from the link.
  [{ a: "dir/../x", dir: "deep/er" }, "a", ["dir", "deep/x"]],
  [{ "a/b/c": "../../.", top: "x" }, "a/b/c", ["."]],
  [{ a: "/etc/passwd" }, "a", []],
  [{ a: "../out" }, "a", []],
  [{ a: "b", b: "/etc" }, "a", ["b"]],
])("%j: %s leads over and to %j", (texts, link, places) => {
  expect(placesBehind(new Map(Object.entries(texts)), link)).toEqual(places);
});

test("links in a circle are followed a limited number of times", () => {
  expect(placesBehind(new Map(Object.entries({ a: "b", b: "a" })), "a").length).toBeLessThan(30);
});
