import type { Oid } from "./oid.ts";

/**
 * Returns the name that a merge of these commits wanted for a path of its tree. If a file and a folder, or two kinds of
 * file, want one name, git calls one of them `NAME~COMMIT`.
 */
export function wantedName(path: string, commits: readonly Oid[]): string {
  const [, name, commit = ""] = /^([\s\S]+)~([0-9a-f]{40,64})(?:_\d+)?$/.exec(path) ?? [];
  return name !== undefined && commits.includes(commit) ? name : path;
}
