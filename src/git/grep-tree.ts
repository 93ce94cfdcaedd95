import { StringDecoder } from "node:string_decoder";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** Returns true if a file of the tree holds this line of text, letter for letter. It reaches git unseen by other users. */
export async function treeHoldsText(repository: Repository, tree: Oid, text: string): Promise<boolean> {
  const args = ["grep", "--quiet", "--fixed-strings", "-f", "-", tree];
  return (await runGit(repository, { ...ownGit(repository, "plain"), args, stdin: `${text}\n`, answers: [0, 1] })).code === 0;
}

/** Returns those of these one-line texts that occur in a file of the tree. May leave out a text that is part of another one. */
export async function textsInTree(repository: Repository, tree: Oid, texts: readonly string[]): Promise<ReadonlySet<string>> {
  // git refuses a pattern with NUL, and an empty pattern matches every file.
  const asked = texts.filter((text) => text !== "" && !/[\0\n]/.test(text));
  const held = new Set<string>();
  if (asked.length === 0) return held;
  const args = ["grep", "--text", "--only-matching", "-h", "--fixed-strings", "-f", "-", tree];
  const decoder = new StringDecoder("utf8");
  let open = "";
  const note = (line: string): void => {
    if (held.has(line)) return;
    for (const text of asked) if (line.includes(text)) held.add(text);
  };
  const onAnswer = (chunk: Buffer): void => {
    const lines = (open + decoder.write(chunk)).split("\n");
    open = lines.pop() ?? "";
    lines.forEach(note);
  };
  await runGit(repository, {
    ...ownGit(repository, "plain"),
    args,
    stdin: asked.map((text) => `${text}\n`).join(""),
    answers: [0, 1],
    onAnswer,
  });
  return held;
}
