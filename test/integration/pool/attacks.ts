import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { commitFiles, git, hermeticEnv, writeFiles } from "../../fixtures/index.ts";
import type { Lab } from "./lab.ts";

export const ATTACKED = {
  ".gitignore": "node_modules/\ndist/\n*.log\n",
  ...Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`src/f${n}`, `line ${n}\n`])),
};

/** Of the same length as the line it takes the place of. */
export const EVIL = "evil 1\n";

type Attack = {
  make: (place: { path: string; admin: string; repo: Lab["repo"]; victim: string }) => void;
  /** What has to be in the restored rescue; absent: the attack leaves no work of its own. */
  saved?: Readonly<Record<string, string>>;
};

/** Writes `text` and puts the file's times back. */
function forge(file: string, text: string): void {
  const { atime, mtime } = statSync(file);
  writeFileSync(file, text);
  utimesSync(file, atime, mtime);
}

function inSlot(path: string, ...args: string[]): void {
  spawnSync("git", args, { cwd: path, env: { ...hermeticEnv(), GIT_EDITOR: ":" } });
}

/** An index that says a file is the commit's, with the stat data of the evil file in its place. */
function forgeIndex(path: string, admin: string): void {
  writeFileSync(join(path, "src/f1"), EVIL);
  git(path, "add", "src/f1");
  const oid = (name: string): Buffer => Buffer.from(git(path, "rev-parse", name), "hex");
  const index = readFileSync(join(admin, "index"));
  oid("HEAD:src/f1").copy(index, index.indexOf(oid(":src/f1")));
  const body = index.subarray(0, -20);
  writeFileSync(join(admin, "index"), Buffer.concat([body, createHash("sha1").update(body).digest()]));
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "a skip-worktree edit": {
    make: ({ path }) => {
      git(path, "update-index", "--skip-worktree", "src/f1");
      writeFileSync(join(path, "src/f1"), EVIL);
    },
    saved: { "src/f1": EVIL },
  },
  "a skip-worktree deletion": {
    make: ({ path }) => {
      git(path, "update-index", "--skip-worktree", "src/f1");
      rmSync(join(path, "src/f1"));
    },
  },
  "a restored time with core.checkStat=minimal and trustctime=false": {
    make: ({ path, repo }) => {
      repo.git("config", "core.checkStat", "minimal");
      repo.git("config", "core.trustctime", "false");
      forge(join(path, "src/f1"), EVIL);
      inSlot(path, "status");
    },
    saved: { "src/f1": EVIL },
  },
  "node_modules as a link": {
    make: ({ path, victim }) => {
      rmSync(join(path, "node_modules"), { recursive: true, force: true });
      symlinkSync(victim, join(path, "node_modules"));
    },
  },
  "node_modules as a link to a tracked folder": { make: ({ path }) => symlinkSync("src", join(path, "node_modules")) },
  "node_modules as a file": { make: ({ path }) => writeFileSync(join(path, "node_modules"), "a file") },
  "src/node_modules/evil": { make: ({ path }) => writeFiles(path, { "src/node_modules/evil/index.js": "evil" }) },
  "a stopped rebase": {
    make: ({ path }) => {
      commitFiles(path, { "src/f1": "A\n" });
      git(path, "checkout", "--quiet", "--detach", "HEAD~1");
      commitFiles(path, { "src/f1": "B\n" });
      inSlot(path, "rebase", "auto/t");
    },
  },
  "a running bisect": {
    make: ({ path }) => {
      inSlot(path, "bisect", "start");
      inSlot(path, "bisect", "bad");
    },
  },
  "config.worktree with hooks and filters": {
    make: ({ path, admin }) => {
      git(path, "config", "extensions.worktreeConfig", "true");
      git(path, "config", "--worktree", "core.hooksPath", "/tmp/evil");
      git(path, "config", "--worktree", "filter.x.smudge", "sed s/line/EVIL/");
      writeFiles(admin, { "info/attributes": "* filter=x\n" });
    },
  },
  "a sparse checkout": { make: ({ path }) => inSlot(path, "sparse-checkout", "set", "nowhere") },
  "a split index": {
    make: ({ path }) => {
      inSlot(path, "update-index", "--split-index");
      writeFileSync(join(path, "q"), "q");
      git(path, "add", "q");
    },
    saved: { q: "q" },
  },
  "an untracked cache and an fsmonitor that hide a file": {
    make: ({ path, repo }) => {
      repo.git("config", "core.untrackedCache", "true");
      repo.git("config", "core.fsmonitor", "/bin/true");
      for (const args of [["update-index", "--untracked-cache"], ["update-index", "--fsmonitor"], ["status"]]) inSlot(path, ...args);
      writeFiles(path, { "src/f2": "evil 2\n", "src/new": "x" });
    },
    saved: { "src/f2": "evil 2\n", "src/new": "x" },
  },
  "a forged index": { make: ({ path, admin }) => forgeIndex(path, admin), saved: { "src/f1": EVIL } },
  "no index at all": {
    make: ({ path, admin }) => {
      rmSync(join(admin, "index"));
      forge(join(path, "src/f1"), EVIL);
    },
    saved: { "src/f1": EVIL },
  },
  "a merge with a conflict": {
    make: ({ path }) => {
      commitFiles(path, { "src/f1": "A\n" });
      git(path, "checkout", "--quiet", "--detach", "HEAD~1");
      commitFiles(path, { "src/f1": "B\n" });
      inSlot(path, "merge", "auto/t");
    },
  },
  "a cherry-pick that stopped": {
    make: ({ path }) => {
      const other = commitFiles(path, { "src/f1": "A\n" });
      git(path, "checkout", "--quiet", "--detach", "HEAD~1");
      commitFiles(path, { "src/f1": "B\n" });
      inSlot(path, "cherry-pick", other);
    },
  },
  ".git repointed to another repository": {
    make: ({ path, victim }) => {
      writeFileSync(join(path, ".git"), `gitdir: ${victim}/.git\n`);
      writeFileSync(join(path, "src/f1"), EVIL);
    },
    saved: { "src/f1": EVIL },
  },
  ".git replaced by a repository": {
    make: ({ path }) => {
      rmSync(join(path, ".git"));
      git(path, "init", "--quiet", "--template=");
      git(path, "config", "user.name", "A");
      git(path, "config", "user.email", "a@example.invalid");
      commitFiles(path, { new: "in a repository of its own\n" });
    },
    saved: { new: "in a repository of its own\n" },
  },
  ".git replaced by a link": {
    make: ({ path, victim }) => {
      rmSync(join(path, ".git"));
      symlinkSync(join(victim, ".git"), join(path, ".git"));
    },
  },
  "an edit through a hard link": {
    make: ({ path, victim }) => {
      linkSync(join(path, "src/f1"), join(victim, "twin"));
      forge(join(victim, "twin"), EVIL);
    },
    saved: { "src/f1": EVIL },
  },
  "a file that is a hard link to one outside": {
    make: ({ path, victim }) => {
      rmSync(join(path, "src/f1"));
      linkSync(join(victim, "precious"), join(path, "src/f1"));
      linkSync(join(victim, "precious"), join(path, "untracked"));
    },
    saved: { "src/f1": "precious\n", untracked: "precious\n" },
  },
  "a file replaced by `cp -p`": {
    make: ({ path, victim }) => {
      copyFileSync(join(path, "src/f1"), join(victim, "copy"));
      writeFileSync(join(victim, "copy"), EVIL);
      execFileSync("touch", ["-r", join(path, "src/f1"), join(victim, "copy")]);
      execFileSync("cp", ["-p", join(victim, "copy"), join(path, "src/f1")]);
    },
    saved: { "src/f1": EVIL },
  },
  "a file replaced by a rename, with its times": {
    make: ({ path }) => {
      writeFileSync(join(path, "src/other"), EVIL);
      execFileSync("touch", ["-r", join(path, "src/f1"), join(path, "src/other")]);
      renameSync(join(path, "src/other"), join(path, "src/f1"));
    },
    saved: { "src/f1": EVIL },
  },
  "a mode change with core.fileMode=false": {
    make: ({ path, repo }) => {
      repo.git("config", "core.fileMode", "false");
      chmodSync(join(path, "src/f1"), 0o755);
    },
  },
  "a tracked folder that is a link to another one outside": {
    make: ({ path, victim }) => {
      renameSync(join(path, "src"), join(victim, "src"));
      writeFileSync(join(victim, "src/f1"), "precious\n");
      symlinkSync(join(victim, "src"), join(path, "src"));
    },
  },
  "an exclude that hides a file": {
    make: ({ path, repo }) => {
      writeFiles(path, { "src/evil.js": "evil" });
      writeFiles(repo.dir, { ".git/info/exclude": `${readFileSync(join(repo.dir, ".git/info/exclude"), "utf8")}src/evil.js\n` });
    },
    saved: { "src/evil.js": "evil" },
  },
  "pipes and sockets": {
    make: ({ path }) => {
      execFileSync("mkfifo", [join(path, "pipe"), join(path, "src/pipe")]);
      mkdirSync(join(path, "new"));
      execFileSync("mkfifo", [join(path, "new/pipe")]);
    },
  },
  "empty folders, and one that nobody may write": {
    make: ({ path }) => {
      mkdirSync(join(path, "e1/e2/e3"), { recursive: true });
      writeFiles(path, { "ro/f": "f" });
      chmodSync(join(path, "ro"), 0o555);
    },
    saved: { "ro/f": "f" },
  },
  "locks of a killed git": {
    make: ({ admin }) => {
      for (const name of ["index.lock", "HEAD.lock"]) writeFileSync(join(admin, name), "");
    },
  },
  "a replaced object": {
    make: ({ path, repo }) => {
      const blob = execFileSync("git", ["hash-object", "-w", "--stdin"], { cwd: path, input: EVIL, encoding: "utf8" }).trim();
      repo.git("replace", "HEAD:src/f1", blob);
    },
  },
};
