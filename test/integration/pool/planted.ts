import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git, tempFolder, writeFiles } from "../../fixtures/index.ts";

/** Commands that leave a mark where they run; whatever plants one has failed as long as there is no mark. */
export type Canaries = {
  /** A program of this name, which hands its input on, as a filter must; `refuses`: it ends with 1 instead. */
  program: (name: string, refuses?: "refuses") => string;
  /** Those that ran since the last look. */
  fired: () => string[];
};

export function canaries(): Canaries {
  const folder = tempFolder("canaries");
  const [bin, marks] = [join(folder, "bin"), join(folder, "marks")];
  for (const path of [bin, marks]) mkdirSync(path);
  return {
    program: (name, refuses) => {
      const file = join(bin, name);
      writeFileSync(file, `#!/bin/sh\n: > '${marks}/${name}'\n${refuses === undefined ? "exec cat" : "exit 1"}\n`, { mode: 0o755 });
      return file;
    },
    fired: () => {
      const names = readdirSync(marks).sort();
      for (const name of names) rmSync(join(marks, name));
      return names;
    },
  };
}

/** Where an agent can write: the repository's git directory, its slot, and the slot's administration folder. */
export type Place = { common: string; slot: string; admin: string };

const HOOKS = `
  applypatch-msg pre-applypatch post-applypatch pre-commit pre-merge-commit prepare-commit-msg commit-msg
  post-commit pre-rebase post-checkout post-merge pre-push pre-receive update post-receive post-update
  reference-transaction push-to-checkout pre-auto-gc post-rewrite sendemail-validate fsmonitor-watchman
  post-index-change proc-receive
`
  .trim()
  .split(/\s+/);

/** Attributes that tie files of the project to filters and drivers which only an agent's configuration knows. */
export const ATTRIBUTES =
  "*.txt filter=evil diff=evil merge=evil\n*.bin filter=process diff=command\n*.md filter=included diff=included\n*.cfg filter=worktree\n";

const setIn = (file: string, key: string, value: string): void => void git("/", "config", "--file", file, key, value);

function programsInto(file: string, { program }: Canaries, name: string): void {
  setIn(file, `filter.${name}.clean`, program(`${name}-clean`));
  setIn(file, `filter.${name}.smudge`, program(`${name}-smudge`));
  setIn(file, `diff.${name}.textconv`, program(`${name}-textconv`));
}

function hooksInto(folder: string, { program }: Canaries, label: string): void {
  mkdirSync(folder, { recursive: true });
  for (const hook of HOOKS) writeFileSync(join(folder, hook), `#!/bin/sh\nexec '${program(`${label}-${hook}`)}'\n`, { mode: 0o755 });
}

/** A key of the repository's configuration with a program for its value. */
const key =
  (name: string, valueOf: (program: string) => string = (program) => program, ...also: (readonly [key: string, value: string])[]) =>
  ({ common }: Place, { program }: Canaries): void => {
    setIn(join(common, "config"), name, valueOf(program(name.replace(/[^A-Za-z.]/g, "-"), "refuses")));
    for (const [other, value] of also) setIn(join(common, "config"), other, value);
  };

/** Ways to have a command run by whoever uses git in the repository next. */
export const WAYS: Readonly<Record<string, (place: Place, canaries: Canaries) => void>> = {
  "core.fsmonitor": key("core.fsmonitor"),
  "core.hooksPath": ({ common }, all) => {
    hooksInto(join(common, "other-hooks"), all, "hooksPath");
    setIn(join(common, "config"), "core.hooksPath", join(common, "other-hooks"));
  },
  "every hook": ({ common }, all) => hooksInto(join(common, "hooks"), all, "hook"),
  "filter.*.clean and smudge, diff.*.textconv": ({ common }, all) => programsInto(join(common, "config"), all, "evil"),
  "filter.*.required": key("filter.process.process", undefined, ["filter.process.required", "true"]),
  "merge.*.driver": key("merge.evil.driver", (program) => `${program} %A`, ["merge.default", "evil"]),
  "diff.external": key("diff.external"),
  "diff.*.command": key("diff.command.command"),
  "core.sshCommand": key("core.sshCommand"),
  "core.editor": key("core.editor"),
  "sequence.editor": key("sequence.editor"),
  "core.pager": key("core.pager"),
  "pager.*": key("pager.status", undefined, ["pager.log", "true"]),
  "gpg.program with commit.gpgSign": key("gpg.program", undefined, ["commit.gpgSign", "true"], ["tag.gpgSign", "true"]),
  "gpg.ssh.program": key("gpg.ssh.program", undefined, ["user.signingKey", "key::ssh-ed25519 AAAA"]),
  "credential.helper": key("credential.helper", (program) => `!${program}`),
  "core.askPass": key("core.askPass"),
  "core.gitProxy": key("core.gitProxy"),
  "alias.*": key("alias.status", (program) => `!${program}`, ["alias.ls-files", "!false"], ["alias.graft", "!false"]),
  "include.path": ({ common }, all) => {
    const file = join(common, "included");
    programsInto(file, all, "included");
    setIn(file, "core.fsmonitor", all.program("include-fsmonitor", "refuses"));
    setIn(join(common, "config"), "include.path", file);
  },
  "includeIf, nested": ({ common }, all) => {
    const [outer, inner] = [join(common, "outer"), join(common, "inner")];
    hooksInto(join(common, "inner-hooks"), all, "includeIf");
    setIn(inner, "core.hooksPath", join(common, "inner-hooks"));
    setIn(outer, "include.path", inner);
    setIn(join(common, "config"), "includeIf.gitdir:**.path", outer);
    setIn(join(common, "config"), "includeIf.onbranch:**.path", outer);
  },
  "core.attributesFile": ({ common }) => {
    writeFileSync(join(common, "own-attributes"), "* filter=evil diff=evil\n");
    setIn(join(common, "config"), "core.attributesFile", join(common, "own-attributes"));
  },
  "info/attributes": ({ common }) => writeFiles(common, { "info/attributes": "* filter=evil diff=evil merge=evil\n" }),
  ".gitattributes, nested": ({ slot }) => {
    if (!existsSync(slot)) return;
    appendFileSync(join(slot, ".gitattributes"), "* diff=evil\n");
    writeFiles(slot, { "nested/.gitattributes": "* filter=evil\n", "nested/file": "n\n" });
  },
  "config.worktree of the slot": ({ common, admin }, all) => {
    setIn(join(common, "config"), "extensions.worktreeConfig", "true");
    for (const folder of [common, ...(existsSync(admin) ? [admin] : [])]) {
      programsInto(join(folder, "config.worktree"), all, "worktree");
      setIn(join(folder, "config.worktree"), "core.fsmonitor", all.program("worktree-fsmonitor", "refuses"));
    }
  },
  "hooks and attributes in the slot's administration folder": ({ admin }, all) => {
    if (!existsSync(admin)) return;
    hooksInto(join(admin, "hooks"), all, "admin");
    writeFiles(admin, { "info/attributes": "* filter=evil\n" });
  },
  "uploadpack.packObjectsHook": key("uploadpack.packObjectsHook"),
  "core.alternateRefsCommand": key("core.alternateRefsCommand"),
  "interactive.diffFilter": key("interactive.diffFilter"),
  "submodule.*.update": key(
    "submodule.x.update",
    (program) => `!${program}`,
    ["submodule.x.active", "true"],
    ["submodule.recurse", "true"],
  ),
  "protocol.ext and url.*.insteadOf": key(
    "url.ext::planted.insteadOf",
    () => "https://",
    ["protocol.ext.allow", "always"],
    ["remote.origin.url", "ext::sh -c false"],
  ),
  "trailer.*.command": key("trailer.x.command", undefined, ["trailer.x.ifmissing", "add"], ["trailer.x.key", "X: "]),
  "remote.*.uploadpack": key("remote.origin.uploadpack", undefined, ["remote.origin.vcs", "evil"]),
  "init.templateDir": ({ common }, all) => {
    hooksInto(join(common, "template/hooks"), all, "template");
    setIn(join(common, "config"), "init.templateDir", join(common, "template"));
  },
};
