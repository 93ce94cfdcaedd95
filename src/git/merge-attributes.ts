import { createHash } from "node:crypto";
import { devNull } from "node:os";
import { basename, join } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { readBytes, replaceFile } from "../state/index.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";
import { type AttributesFile, DRIVER, translateAttributes, WHY_NOT_BLENDED } from "./translate-attributes.ts";

/** Why a file must not be blended: an attribute forbids it, or its project merges it with a program of its own. */
export type NotBlended = { kind: "binary" } | { kind: "driver"; name: string };

/**
 * Returns the repository with the `merge` attributes of a commit's `.gitattributes` files: all merges made through it
 * honour git's built-in values, and blend no file under a named driver. No driver ever runs.
 */
export async function withMergeAttributes(repository: Repository, commit: Oid): Promise<Repository> {
  const { mergeAttributes: _, ...bare } = repository;
  const text = translateAttributes(await attributesFilesOf(repository, commit));
  if (text === undefined) return bare;
  const bytes = Buffer.from(text, "latin1");
  const file = join(repository.layout.root, "merge-attributes", digestOf(bytes) ?? "");
  if (readBytes(file)?.equals(bytes) !== true) replaceFile(file, bytes);
  return { ...bare, mergeAttributes: { file, commit } };
}

/**
 * Returns arguments for a git that merges: our attributes file, and no other. Without them git reads the user's own.
 * Throws STATE_DAMAGED if the file is not as it was written: git would blend without a word what it must not.
 */
export function attributesArgs({ mergeAttributes }: Repository): string[] {
  const file = mergeAttributes?.file;
  if (file !== undefined && digestOf(readBytes(file)) !== basename(file)) {
    throw new GraftworkError("STATE_DAMAGED", {
      message: "The merge attributes of this run are not as graftwork wrote them.",
      because: `${file} was changed or removed.`,
      try: "run the same command again: it writes the file again.",
      details: { file },
    });
  }
  return ["-c", `core.attributesFile=${file ?? devNull}`];
}

function digestOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && createHash("sha256").update(bytes).digest("hex");
}

/** Names the attributes that merges of this repository honour; "" for none. The same text has the same name. */
export function attributesKey({ mergeAttributes }: Repository): string {
  return mergeAttributes === undefined ? "" : basename(mergeAttributes.file);
}

/** Which of these paths must not be blended, and why. */
export async function notBlended(repository: Repository, paths: readonly string[]): Promise<ReadonlyMap<string, NotBlended>> {
  const found = new Map<string, NotBlended>();
  if (repository.mergeAttributes === undefined || paths.length === 0) return found;
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: [...attributesArgs(repository), "check-attr", "-z", "--stdin", WHY_NOT_BLENDED],
    stdin: pathBytes(paths.map((path) => `${path}\0`).join("")),
  });
  const parts = splitPaths(answer);
  for (let at = 0; at + 2 < parts.length; at += 3) {
    const [path = "", , value = ""] = parts.slice(at, at + 3);
    if (value.startsWith(DRIVER)) found.set(path, { kind: "driver", name: value.slice(DRIVER.length) });
    else if (value === "binary") found.set(path, { kind: "binary" });
  }
  return found;
}

const NAME = ".gitattributes";

async function attributesFilesOf(repository: Repository, commit: Oid): Promise<AttributesFile[]> {
  const listed = splitPaths(await runGit(repository, { ...ownGit(repository, "plain"), args: ["ls-tree", "-r", "-z", commit] }));
  const found = listed.flatMap((line) => {
    // git reads no attributes through a symlink.
    const [, oid = "", path = ""] = /^100\d{3} blob (\S+)\t([\s\S]+)$/.exec(line) ?? [];
    return path === NAME || path.endsWith(`/${NAME}`) ? [{ oid, folder: path.slice(0, -NAME.length - 1) }] : [];
  });
  const texts = await blobsOf(repository, [...new Set(found.map(({ oid }) => oid))]);
  return found.map(({ oid, folder }) => ({ folder: Buffer.from(pathBytes(folder)).toString("latin1"), text: texts.get(oid) ?? "" }));
}

/** The bytes of blobs as latin1, read by one git. */
async function blobsOf(repository: Repository, oids: readonly Oid[]): Promise<Map<Oid, string>> {
  const texts = new Map<Oid, string>();
  if (oids.length === 0) return texts;
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["cat-file", "--batch"],
    stdin: oids.map((oid) => `${oid}\n`).join(""),
  });
  const all = answer.stdout.toString("latin1");
  for (let at = 0; at < all.length; ) {
    const end = all.indexOf("\n", at);
    const [oid = "", , size] = all.slice(at, end).split(" ");
    if (end < 0 || size === undefined) break;
    texts.set(oid, all.slice(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return texts;
}
