import { expect, test } from "vitest";
import { resolveBeside } from "../../../src/merge/index.ts";

const file = (lines: number, change: (n: number) => boolean, word: string): string =>
  Array.from({ length: lines }, (_, n) => `export const a${n} = ${change(n) ? `"${word}"` : n};`).join("\n");

test("a large file is merged as in this thread, and by no rule if it takes too long; this thread goes on meanwhile", async () => {
  const [base, ours, theirs] = [
    file(3_000, () => false, ""),
    file(3_000, (n) => n === 10, "ours"),
    file(3_000, (n) => n === 2_000, "theirs"),
  ] as const;
  const sides = { level: "safe", path: "a.ts", base, ours, theirs } as const;
  const small = await resolveBeside(sides);
  const [x, y, z] = [0, 1, 2].map((one) => file(40_000, (n) => n % 7 === one, String(one)));
  let turns = 0;
  const timer = setInterval(() => void turns++, 1);
  const huge = await resolveBeside({ level: "safe", path: "b.ts", base: x, ours: y, theirs: z });
  clearInterval(timer);
  // Had this thread done it, no timer would have had its turn.
  expect(turns).toBeGreaterThan(10);
  expect(small).toMatchObject({ kind: "resolved", text: expect.stringContaining('a10 = "ours"') });
  expect(small).toMatchObject({ text: expect.stringContaining('a2000 = "theirs"') });
  expect(huge).toMatchObject({ kind: "declined", why: expect.stringMatching(/too many places|rule/) });
});

test("texts beyond the limits are declined at once, and the next one is merged", async () => {
  const text = "x"
    .repeat(2 ** 20)
    .concat("\n")
    .repeat(40);
  const huge = await resolveBeside({ level: "safe", path: "a.txt", base: "", ours: text, theirs: text });
  expect(huge).toMatchObject({ kind: "declined", why: "it is too large to be merged by rules" });
  const next = await resolveBeside({ level: "safe", path: "a.txt", base: "1\n", ours: "2\n", theirs: "2\n" });
  expect(next.kind).toBe("resolved");
});
