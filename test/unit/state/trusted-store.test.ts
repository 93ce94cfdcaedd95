import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { adoptFacts, readTrusted, removeTrusted, sealedText, storeProblem, unsealedText, writeTrusted } from "../../../src/state/index.ts";
import { tempFolder, writeFiles } from "../../fixtures/index.ts";

const store = (): string => join(tempFolder("home"), "state", "graftwork", "repository");

describe("a trusted store", () => {
  test("gives back what was written, and is its user's alone", () => {
    const folder = store();
    expect(readTrusted(folder, "a/b")).toEqual({ kind: "missing" });
    expect(writeTrusted(folder, "a/b", "text\nof lines")).toBeUndefined();
    expect(readTrusted(folder, "a/b")).toEqual({ kind: "found", text: "text\nof lines" });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of ["key", "a/b"]) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    removeTrusted(folder, "a");
    expect(readTrusted(folder, "a/b")).toEqual({ kind: "missing" });
  });

  test("says of anything else that it was changed: another text, another name, another key", () => {
    const folder = store();
    writeTrusted(folder, "good", "approved");
    const sealed = readFileSync(join(folder, "good"), "utf8");
    writeFileSync(join(folder, "other"), sealed);
    for (const text of ["", "approved", sealed.replace("approved", "approveD"), sealed.slice(1)]) {
      writeFileSync(join(folder, "forged"), text);
      expect(readTrusted(folder, "forged")).toEqual({ kind: "changed" });
    }
    expect(readTrusted(folder, "other")).toEqual({ kind: "changed" });
    const elsewhere = store();
    writeTrusted(elsewhere, "good", "x");
    copyFileSync(join(folder, "good"), join(elsewhere, "good"));
    expect(readTrusted(elsewhere, "good")).toEqual({ kind: "changed" });
    rmSync(join(folder, "key"));
    expect(readTrusted(folder, "good")).toEqual({ kind: "changed" });
  });

  test("below a folder that others may write in is not used: they could put another in its place", () => {
    const shared = tempFolder("shared");
    chmodSync(shared, 0o1777);
    mkdirSync(join(shared, "graftwork"));
    chmodSync(join(shared, "graftwork"), 0o777);
    expect(storeProblem({ trusted: join(shared, "graftwork", "repository") })).toContain("other users can write into it");
  });

  test("that cannot be written says why, and nothing is thrown", () => {
    const home = join(tempFolder("home"), "file");
    writeFileSync(home, "no folder");
    const folder = join(home, "state");
    expect(storeProblem({ trusted: folder })).toContain("file already exists");
    expect(writeTrusted(folder, "a", "b")).toContain("file already exists");
    expect(readTrusted(folder, "a")).toEqual({ kind: "missing" });
    expect(sealedText(folder, "a", "b")).toBe("b");
  });

  test("seals what lies elsewhere, and knows it again", () => {
    const folder = store();
    const sealed = sealedText(folder, "note", "text");
    expect(unsealedText(folder, "note", sealed)).toBe("text");
    expect(unsealedText(folder, "note", "text")).toBeUndefined();
    expect(unsealedText(folder, "another", sealed)).toBeUndefined();
    // Before there was a key, nothing was sealed.
    expect(unsealedText(store(), "note", "text")).toBe("text");
  });
});

test("what an older version kept in the repository is taken over once, and no second time", () => {
  const [trusted, root] = [store(), tempFolder("root")];
  const name = `${"a".repeat(40)}-${"b".repeat(32)}.json`;
  const plant = (): void =>
    writeFiles(root, {
      [`verdicts/${name}`]: '{"tree":"x"}\n',
      "verdicts/../evil": "x",
      "verdicts/no.json": "{}",
      "pinned-settings.json": "{}",
    });
  plant();
  adoptFacts({ root, trusted });
  expect(readTrusted(trusted, `verdicts/${name}`)).toEqual({ kind: "found", text: '{"tree":"x"}' });
  expect(readdirSync(join(trusted, "verdicts"))).toEqual([name]);
  expect(readdirSync(root)).toEqual(["evil"]);
  // Nor is it taken over again, or by a store that the user begins later: of a repository that was moved, say.
  for (const later of [trusted, join(dirname(trusted), "moved")]) {
    removeTrusted(trusted, "verdicts");
    plant();
    adoptFacts({ root, trusted: later });
    expect(readTrusted(later, `verdicts/${name}`)).toEqual({ kind: "missing" });
  }
});
