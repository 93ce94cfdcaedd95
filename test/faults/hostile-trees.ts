import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect } from "vitest";
import { GraftworkError } from "../../src/domain/index.ts";
import { exportTree, openRepository, pathProblem } from "../../src/git/index.ts";
import { hermeticEnv, tempFolder, tempRepo } from "../fixtures/index.ts";

type Entry = { mode: string; name: string; oid: string };

/** Names that lead elsewhere on some system, pieces of them, and names that are only odd. */
const pieces = fc.constantFrom(
  ..."/|..|.|.git|.GIT|git~1|.g\u200cit|\\|:|x| |\n|\t|\u001b|\u202e|-|~|hooks|config|*|CON|aux.|ä|e\u0301".split("|"),
);
const name = fc
  .oneof(
    pieces,
    fc.array(pieces, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")),
    fc.string({ minLength: 1, maxLength: 12 }),
  )
  .map((text) => text.replaceAll("\0", "?"));

/** Names of one entry: of the folders above it, outermost first, and its own. */
const entry = fc.array(name, { minLength: 1, maxLength: 3 });

/** Writes a tree as git stores it, whatever its names are. */
function writeTree(gitDir: string, entries: readonly Entry[]): string {
  const body = entries.flatMap(({ mode, name: text, oid }) => [Buffer.from(`${mode} ${text}\0`), Buffer.from(oid, "hex")]);
  return writeObject(gitDir, "tree", Buffer.concat(body));
}

function writeObject(gitDir: string, type: string, body: Buffer): string {
  const whole = Buffer.concat([Buffer.from(`${type} ${body.length}\0`), body]);
  const oid = createHash("sha1").update(whole).digest("hex");
  const file = join(gitDir, "objects", oid.slice(0, 2), oid.slice(2));
  mkdirSync(dirname(file), { recursive: true });
  if (!existsSync(file)) writeFileSync(file, deflateSync(whole, { level: 1 }));
  return oid;
}

/**
 * Exports commits whose trees have hostile names. Those that our path function takes go together, so that each must come out
 * as a file; each of the others goes alone. Nothing may come out beside the folder, or in a `.git` that is not ours.
 */
export async function fuzzTrees(runs: number): Promise<{ together: number; alone: number; refused: number }> {
  const repo = tempRepo({ files: { f: "1\n" } });
  const gitDir = join(repo.dir, ".git");
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const around = tempFolder("trees");
  const blob = repo.git("rev-parse", "HEAD:f");
  const nested = (names: readonly string[]): Entry =>
    names.reduceRight<Entry>(
      (inner, text, at) => (at === names.length - 1 ? inner : { mode: "40000", name: text, oid: writeTree(gitDir, [inner]) }),
      { mode: "100644", name: names.at(-1) ?? "", oid: blob },
    );
  const exported = async (tree: string): Promise<number> => {
    const commit = writeObject(gitDir, "commit", Buffer.from(`tree ${tree}\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n`));
    const into = join(around, "a", "b", "into");
    mkdirSync(into, { recursive: true });
    try {
      await exportTree(repository, commit, into);
      const files = readdirSync(into, { recursive: true, withFileTypes: true }).filter(
        (one) => one.isFile() && !one.parentPath.startsWith(join(into, ".git")),
      );
      return files.length;
    } catch (error) {
      if (!(error instanceof GraftworkError) || error.code === "INTERNAL") throw error;
      return -1;
    } finally {
      expect(readdirSync(around, { recursive: true }).filter((path) => !/^a(?:\/b(?:\/into(?:\/.*)?)?)?$/su.test(String(path)))).toEqual(
        [],
      );
      expect(existsSync(join(into, ".git", "hooks")) || existsSync(join(into, ".git", "x"))).toBe(false);
      rmSync(join(around, "a"), { recursive: true, force: true });
    }
  };
  const count = { together: 0, alone: 0, refused: 0 };
  let batch: Entry[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    expect(await exported(writeTree(gitDir, batch))).toBe(batch.length);
    count.together += batch.length;
    batch = [];
  };
  await fc.assert(
    fc.asyncProperty(entry, async (names) => {
      const isSound =
        names.every((one) => one !== "" && !one.includes("/") && Buffer.byteLength(one) < 200) &&
        pathProblem(names.join("/")) === undefined;
      if (isSound) {
        // Folders of their own, named so that they sort as git sorts them.
        batch.push({ mode: "40000", name: `d${1000 + batch.length}`, oid: writeTree(gitDir, [nested(names)]) });
        if (batch.length === 500) await flush();
        return;
      }
      count.alone += 1;
      if ((await exported(writeTree(gitDir, [nested(names)]))) < 0) count.refused += 1;
    }),
    { numRuns: runs, endOnFailure: true },
  );
  await flush();
  // There are too many objects for what cleans up after each test.
  rmSync(repo.dir, { recursive: true });
  return count;
}
