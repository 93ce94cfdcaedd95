import { askOfObjects } from "./object-answers.ts";
import type { Oid } from "./oid.ts";
import { outwaitCollection } from "./outwait-collection.ts";
import { ownGit } from "./own-git.ts";
import { pathBytes } from "./path-text.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul, splitPaths } from "./run-git.ts";

export type Person = { name: string; email: string };

/** Whose commits those are that belong to no person: of what is judged, looked at or made anew. */
export const GRAFTWORK: Person = { name: "graftwork", email: "graftwork@localhost" };

/** Who the user is to git here; graftwork's own name where nothing is configured (a bare CI machine). */
export async function userIdentity(repository: Repository): Promise<Person> {
  const answer = await runGit(repository, { cwd: repository.root, args: ["var", "GIT_COMMITTER_IDENT"], answers: [0, 128] });
  const match = /^(.*) <(.*)> \d+ [+-]\d{4}$/.exec(answer.text.trim());
  if (answer.code !== 0 || match?.[1] === undefined || match[2] === undefined || match[1] === "") return GRAFTWORK;
  return { name: match[1], email: match[2] };
}

/** Writes a commit object; no ref moves. */
export async function commitTree(
  repository: Repository,
  commit: { tree: Oid; parents: readonly Oid[]; message: string; person: Person },
): Promise<Oid> {
  const own = ownGit(repository, "plain");
  const { name, email } = commit.person;
  const answer = await runGit(repository, {
    ...own,
    env: { ...own.env, GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email },
    args: ["-c", "core.fsync=committed", "commit-tree", ...commit.parents.flatMap((parent) => ["-p", parent]), commit.tree],
    stdin: commit.message,
  });
  return answer.text.trim();
}

/** Writes a commit like `source`, by the same author and with the same message, but with this tree and these parents. */
export async function commitLike(
  repository: Repository,
  source: Oid,
  { tree, parents }: { tree: Oid; parents: readonly Oid[] },
): Promise<Oid> {
  const own = ownGit(repository, "plain");
  const raw = (await runGit(repository, { ...own, args: ["cat-file", "commit", source] })).stdout;
  const end = raw.indexOf("\n\n");
  const [head, body] = [raw.subarray(0, end).toString("latin1"), raw.subarray(end)];
  // A signature is about the commit that was; its lines go on with a space.
  const kept = head.split(/\n(?! )/).filter((line) => !/^(?:tree|parent|gpgsig|gpgsig-sha256|mergetag) /.test(line));
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), ...kept].join("\n");
  const args = ["-c", "core.fsync=committed", "hash-object", "-w", "-t", "commit", "--stdin"];
  return (await runGit(repository, { ...own, args, stdin: Buffer.concat([Buffer.from(lines, "latin1"), body]) })).text.trim();
}

/** The tree of a commit. */
export async function treeOf(repository: Repository, commit: Oid): Promise<Oid> {
  const args = ["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`];
  return (await askOfObjects(repository, { args, of: [commit] })).text.trim();
}

/** How many commits of a line are looked at. */
const LINE = 100;

/** The trees of a commit and of the first-parent commits before it, newest first. */
export async function treesOfLine(repository: Repository, commit: Oid): Promise<Oid[]> {
  const args = ["log", "--first-parent", `-${LINE}`, "--format=%T", commit];
  return (await askOfObjects(repository, { args, of: [commit] })).text.trim().split("\n");
}

/** Paths that differ between two commits or trees, renames not followed. */
export async function changedPaths(repository: Repository, from: Oid, to: Oid): Promise<string[]> {
  const args = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", from, to];
  return splitNul((await askOfObjects(repository, { args, of: [from, to] })).text);
}

/** Files that have another name in `to` than in `from`, as git sees them when it merges. */
export async function renamesBetween(repository: Repository, from: Oid, to: Oid): Promise<{ from: string; to: string }[]> {
  // A merge compares as many files.
  const args = ["diff-tree", "-r", "-z", "-M", "-l7000", "--diff-filter=R", "--name-status", from, to];
  const parts = splitPaths(await askOfObjects(repository, { args, of: [from, to] }));
  const found: { from: string; to: string }[] = [];
  for (let at = 0; at + 2 < parts.length; at += 3) found.push({ from: parts[at + 1] ?? "", to: parts[at + 2] ?? "" });
  return found;
}

/** A patch for people and agents to read, at most `maxBytes` of it. */
export async function patchBetween(repository: Repository, from: Oid, to: Oid, maxBytes: number): Promise<string> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["diff-tree", "-r", "-p", "-M", "--no-ext-diff", "--no-textconv", from, to],
  });
  if (answer.stdout.length <= maxBytes) return answer.text;
  return `${answer.stdout.subarray(0, maxBytes).toString("utf8")}\n… (${answer.stdout.length - maxBytes} more bytes)\n`;
}

/** Where two histories part; undefined for unrelated ones. */
export async function mergeBase(repository: Repository, a: Oid, b: Oid): Promise<Oid | undefined> {
  const answer = await askOfObjects(repository, { args: ["merge-base", a, b], of: [a, b], answers: [0, 1] });
  return answer.code === 0 ? answer.text.trim() : undefined;
}

/** Subjects of the commits in `from..to`, newest first, at most `limit`. */
export async function subjects(repository: Repository, from: Oid, to: Oid, limit: number): Promise<string[]> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["log", `-${limit}`, "-z", "--format=%s", `${from}..${to}`],
  });
  return splitNul(answer.text);
}

/** The bytes of a file in a commit or tree; undefined where it has no such file. */
export async function readFileAt(repository: Repository, commit: Oid, path: string): Promise<Buffer | undefined> {
  if (typeof pathBytes(path) !== "string") return readOddFileAt(repository, commit, path);
  const answer = await askOfObjects(repository, { args: ["cat-file", "blob", `${commit}:${path}`], of: [commit], answers: [0, 128] });
  return answer.code === 0 ? answer.stdout : undefined;
}

/** One whose name is no UTF-8: an argument of ours would come to git as another name. */
async function readOddFileAt(repository: Repository, commit: Oid, path: string): Promise<Buffer | undefined> {
  const listed = splitPaths(await runGit(repository, { ...ownGit(repository, "plain"), args: ["ls-tree", "-r", "-z", commit] }));
  const entry = listed.find((line) => line.slice(line.indexOf("\t") + 1) === path);
  const oid = /^\d{6} blob (\S+)\t/.exec(entry ?? "")?.[1];
  return oid === undefined ? undefined : readBlob(repository, oid);
}

/** Paths in a commit or tree, optionally only those equal to one of `only`. */
export async function listPaths(repository: Repository, commit: Oid, only: readonly string[] = []): Promise<string[]> {
  const args = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", commit, "--", ...only];
  return splitNul((await askOfObjects(repository, { args, of: [commit] })).text);
}

/**
 * True where everything that `commit` adds to `known` is in the object store, and stays there (review-core rule 5: a
 * pin is checked after its ref exists, since a garbage collection may have run in between, or be under way).
 */
export async function isWhole(repository: Repository, commit: Oid, known: readonly Oid[]): Promise<boolean> {
  await outwaitCollection(repository);
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["rev-list", "--objects", "--quiet", commit, ...known.map((oid) => `^${oid}`)],
    answers: [0, 1, 128],
  });
  return answer.code === 0;
}

/** Writes a blob and returns its id. */
export async function writeBlob(repository: Repository, bytes: string | Uint8Array): Promise<Oid> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["hash-object", "-w", "-t", "blob", "--stdin"],
    stdin: bytes,
  });
  return answer.text.trim();
}

/** Counts the commits that only `branch` (a full ref name) has, and those that only HEAD of the main worktree has. */
export async function aheadBehind(repository: Repository, branch: string): Promise<{ ahead: number; behind: number }> {
  const answer = await runGit(repository, {
    cwd: repository.root,
    gitDir: repository.commonDir,
    args: ["rev-list", "--left-right", "--count", "--end-of-options", `${branch}...HEAD`],
  });
  const [ahead = 0, behind = 0] = answer.text.trim().split("\t").map(Number);
  return { ahead, behind };
}

/** A branch's own commits up to `to` (first parents, no merges) that none of `known` has, newest first. */
export async function commitsBetween(repository: Repository, known: readonly Oid[], to: Oid): Promise<Oid[]> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["rev-list", "--first-parent", "--no-merges", "--max-count=1000", to, ...known.map((oid) => `^${oid}`)],
  });
  return answer.text.split("\n").filter((line) => line !== "");
}

/** Returns the commits that any of `to` reaches and none of `from` does. */
export async function branchCommits(repository: Repository, from: readonly Oid[], to: readonly Oid[]): Promise<Oid[]> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["rev-list", ...to, ...from.map((oid) => `^${oid}`)] });
  return answer.text.split("\n").filter((line) => line !== "");
}

/** The first-parent commits in `from..to`, newest first. */
export async function commitsOnTop(repository: Repository, from: Oid, to: Oid): Promise<Oid[]> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["rev-list", "--first-parent", to, `^${from}`] });
  return answer.text.split("\n").filter((line) => line !== "");
}

/** When a commit was made, in seconds since 1970. */
export async function commitTime(repository: Repository, commit: Oid): Promise<number> {
  const answer = await askOfObjects(repository, { args: ["log", "-1", "--format=%ct", commit], of: [commit] });
  return Number(answer.text.trim());
}

/** The last commit in `from..to` that touched a path: short id and subject; "" where none did. */
export async function lastToTouch(repository: Repository, from: Oid, to: Oid, path: string): Promise<string> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["--literal-pathspecs", "log", "-1", "--no-merges", "--format=%h %s", `${from}..${to}`, "--", path],
  });
  return answer.text.trim();
}

/** The merge commits with their parents that any of `to` reaches and `from` does not, newest first, at most 100. */
export async function mergeCommits(repository: Repository, from: Oid, to: readonly Oid[]): Promise<{ merge: Oid; parents: Oid[] }[]> {
  const answer = await runGit(repository, {
    ...ownGit(repository, "plain"),
    args: ["rev-list", "--merges", "--parents", "--max-count=100", ...to, `^${from}`],
  });
  const lines = answer.text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [merge = "", ...parents] = line.split(" ");
    return { merge, parents };
  });
}

/** A commit's whole message. */
export async function messageOf(repository: Repository, commit: Oid): Promise<string> {
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args: ["log", "-1", "--format=%B", commit] });
  return answer.text;
}

/** A blob's bytes. */
export async function readBlob(repository: Repository, oid: Oid): Promise<Buffer> {
  return (await runGit(repository, { ...ownGit(repository, "plain"), args: ["cat-file", "blob", oid] })).stdout;
}
