import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { openRepository } from "../../src/git/index.ts";
import { existingStore, listRescues, type PoolContext, type PoolState, restoreRescue } from "../../src/pool/index.ts";
import { storeExists } from "../../src/state/index.ts";
import { git, hermeticEnv, type TempRepo, tempFolder, tempRepo, writeFiles } from "../fixtures/index.ts";
import { contextOf } from "../integration/pool/lab.ts";

/** A real repository with a real pool beside it, and looks at them that no pool function takes part in. */
export class World {
  readonly repo: TempRepo;
  readonly context: PoolContext;
  readonly pool: string;
  private readonly restored = new Map<string, ReadonlySet<string>>();
  private readonly scratch = tempFolder("model");

  private constructor(repo: TempRepo, context: PoolContext) {
    this.repo = repo;
    this.context = context;
    this.pool = `${repo.dir}.pool`;
  }

  /** The user's checkout is busy too: staged, changed and untracked files, and a stash entry. */
  static async make(): Promise<World> {
    const repo = tempRepo({
      files: { ".gitignore": "*.log\n", changed: "c\n", assumed: "a\n", skipped: "s\n", conflict: "base\n" },
      branches: { side: { conflict: "side\n" } },
    });
    repo.commit({ conflict: "main\n" });
    writeFiles(repo.dir, { changed: "stashed\n" });
    repo.git("stash", "--quiet");
    writeFiles(repo.dir, { staged: "the user's own\n", assumed: "the user's own\n", untracked: "the user's own\n" });
    repo.git("add", "staged");
    const repository = await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), HOME: repo.parent } });
    return new World(repo, contextOf(repository, { copy: [] }));
  }

  as(owner: string): PoolContext {
    return { ...this.context, owner: { kind: "shell", name: owner } };
  }

  slotPath(id: string): string {
    return join(this.pool, id);
  }

  /** Undefined where there is no pool. */
  state(): { state: PoolState; generation: number } | undefined {
    return storeExists(this.context.repository.layout.poolStore) ? existingStore(this.context.repository).read() : undefined;
  }

  /** Everything of the user's that no verb may touch. */
  checkout(): string {
    const files = filesBelow(this.repo.dir).filter((path) => !/^(?:\.git|\.claude)(?:\/|$)/.test(path));
    const ours = /^(?:# graftwork: its own files|\/\.claude\/.*)$/;
    const own = existsSync(join(this.repo.dir, ".git/info/exclude")) ? readFileSync(join(this.repo.dir, ".git/info/exclude"), "utf8") : "";
    const parts: [string, string][] = [
      ...files.map((path): [string, string] => [path, digest(join(this.repo.dir, path))]),
      ...["HEAD", "index", "config"].map((name): [string, string] => [`.git/${name}`, digest(join(this.repo.dir, ".git", name))]),
      [
        "info/exclude",
        own
          .split("\n")
          .filter((line) => line !== "" && !ours.test(line))
          .join("\n"),
      ],
      ["hooks", existsSync(join(this.repo.dir, ".git/hooks")) ? readdirSync(join(this.repo.dir, ".git/hooks")).join() : ""],
      ["stash", this.repo.git("stash", "list", "--format=%H")],
      ["main", this.repo.git("rev-parse", "refs/heads/main", "refs/heads/side")],
      [
        ".claude",
        readdirOrNone(join(this.repo.dir, ".claude"))
          .filter((name) => name !== "pool-state.json" && name !== "worktree-pool")
          .join(),
      ],
    ];
    return parts.map(([name, value]) => `${name} ${value}`).join("\n");
  }

  /** Commits that a ref holds; with `live`, also those that a slot's HEAD or its log names. */
  commits(live: boolean): Set<string> {
    return new Set(this.repo.git("rev-list", "--glob=refs/*", ...(live ? ["--all", "--reflog"] : [])).split("\n"));
  }

  /** Ids of all objects that branches hold; with `saved`, that any ref or a slot's index holds. */
  blobs(saved: boolean): Set<string> {
    const lines = this.repo.git("rev-list", "--objects", ...(saved ? ["--glob=refs/*", "--indexed-objects"] : ["--branches"])).split("\n");
    return new Set(lines.map((line) => line.split(" ")[0] ?? ""));
  }

  /** The texts of all files that `rescue restore` gives back, and of those in the trash, where whole folders go. */
  async savedTexts(): Promise<Set<string>> {
    const all = new Set<string>();
    for (const { id, commit } of await listRescues(this.context)) {
      if (!this.restored.has(commit)) {
        const folder = join(this.scratch, commit);
        await restoreRescue(this.context, id, folder, "/");
        this.restored.set(commit, textsBelow(folder));
      }
      for (const text of this.restored.get(commit) ?? []) all.add(text);
    }
    for (const text of textsBelow(join(this.pool, "trash"))) all.add(text);
    return all;
  }

  /** Full names of the branches that are checked out in slots and in the main worktree. */
  checkedOut(): string[] {
    return [...this.repo.git("worktree", "list", "--porcelain").matchAll(/^branch refs\/heads\/(.*)$/gm)].map((match) => match[1] ?? "");
  }

  branches(): Set<string> {
    return new Set(this.repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/").split("\n"));
  }

  /** Only while the slot is connected: a repository of the agent's own in its place would answer instead. */
  slotGit(id: string, ...args: readonly string[]): string | undefined {
    const path = this.slotPath(id);
    if (lstatSync(join(path, ".git"), { throwIfNoEntry: false })?.isFile() !== true) return undefined;
    try {
      return git(path, ...args);
    } catch {
      // An agent's git may refuse (a lock, a stopped merge): then the agent has done nothing.
      return undefined;
    }
  }
}

/** The id that git gives to these bytes. */
export function blobId(text: string): string {
  return createHash("sha1")
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest("hex");
}

function readdirOrNone(path: string): string[] {
  return existsSync(path) ? readdirSync(path).sort() : [];
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: "utf8" })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

function textsBelow(folder: string): Set<string> {
  return new Set(
    filesBelow(folder)
      .filter((path) => lstatSync(join(folder, path)).isFile())
      .map((path) => readFileSync(join(folder, path), "utf8")),
  );
}

function digest(path: string): string {
  const stat = lstatSync(path);
  const bytes = stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path);
  return `${stat.mode} ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
}
