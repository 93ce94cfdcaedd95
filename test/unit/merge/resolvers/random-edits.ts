import fc from "fast-check";

/** A base, two edits of it that stay clear of each other, and the one right merge. `added` are the new lines. */
export type CleanEdits = { base: string[]; ours: string[]; theirs: string[]; merged: string[]; added: string[] };

/** What becomes of the second line of a block of four; the others separate one edit from the next. */
const KINDS = ["kept", "removed", "replaced", "followed", "doubled"] as const;

export const cleanEdits: fc.Arbitrary<CleanEdits> = fc
  .array(fc.tuple(fc.constantFrom("ours" as const, "theirs" as const), fc.constantFrom(...KINDS)), { minLength: 1, maxLength: 8 })
  .map((blocks) => {
    const result: CleanEdits = { base: [], ours: [], theirs: [], merged: [], added: [] };
    for (const [n, [side, kind]] of blocks.entries()) {
      const [first, second, ...rest] = [0, 1, 2, 3].map((k) => `line ${n}.${k};\n`) as [string, string, string, string];
      const fresh = [`${side} ${n}.a;\n`, `${side} ${n}.b;\n`] as const;
      const edited = { kept: [second], removed: [], replaced: [fresh[0]], followed: [second, fresh[0]], doubled: fresh }[kind];
      result.base.push(first, second, ...rest);
      result[side].push(first, ...edited, ...rest);
      result[side === "ours" ? "theirs" : "ours"].push(first, second, ...rest);
      result.merged.push(first, ...edited, ...rest);
      result.added.push(...edited.filter((line) => line !== second));
    }
    return result;
  });
