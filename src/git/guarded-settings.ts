/** What decides which programs git runs in a repository and where its files are, at one moment. */
export type Guarded = {
  /** Guarded keys with their values, in the order of their files; a key may be there more than once. */
  settings: readonly Setting[];
  /** `info/attributes`, which can tie a filter to any path; null: there is none. */
  attributes: string | null;
  /** Name of a hook → its bytes, a letter each. `.` is there where the folder of hooks is a link: what it says. */
  hooks: Readonly<Record<string, string>>;
  /** Full name of a ref below `refs/replace/` → the object that git shows in the place of another. */
  replacements: Readonly<Record<string, string>>;
};

/** One value in a configuration file of the common git directory. */
export type Setting = readonly [key: string, value: string, file: SettingsFile];

export type SettingsFile = (typeof SETTINGS_FILES)[number];

/** With `extensions.worktreeConfig`, the second one is read for the user's checkout. */
export const SETTINGS_FILES = ["config", "config.worktree"] as const;

/** One difference that was made while tasks were at work. */
export type Planted =
  | { kind: "setting"; name: string; file: SettingsFile; before: readonly string[]; now: readonly string[] }
  | { kind: "hook" | "attributes" | "replacement"; name: string; before: string | null; now: string | null };

/**
 * Keys that run a program, read another file, or move or hide the user's checkout; and those that change what files
 * look like in a worktree. In lower case, as `git config --list` prints them (a subsection keeps its case).
 */
const GUARDED = new RegExp(
  `^(?:${[
    "(?:filter|alias|pager|include|includeif|extensions|trailer|protocol|sendemail|guitool|browser|man|difftool|mergetool)\\..*",
    "core\\.(?:bare|worktree|hookspath|fsmonitor|editor|pager|askpass|sshcommand|gitproxy|alternaterefscommand|attributesfile|excludesfile)",
    "core\\.(?:autocrlf|eol|safecrlf|symlinks|filemode|ignorecase|precomposeunicode|sparsecheckout|sparsecheckoutcone|repositoryformatversion)",
    "sequence\\.editor|interactive\\.difffilter|gpg\\.(?:.*\\.)?program|gpg\\.format|credential\\.(?:.*\\.)?helper|init\\.templatedir",
    "merge\\..*\\.driver|diff\\.(?:.*\\.)?(?:command|textconv|external)|uploadpack\\.packobjectshook|submodule\\..*\\.update",
    "remote\\..*\\.(?:uploadpack|receivepack|vcs|proxy)|url\\..*|index\\.sparse|commit\\.gpgsign|tag\\.gpgsign|lfs\\..*",
  ].join("|")})$`,
);

/** Of the guarded ones, those that our own git must know to write and compare a worktree's files as the user's git does. */
const SHAPES_FILES =
  /^(?:filter\..*|core\.(?:autocrlf|eol|safecrlf|symlinks|filemode|ignorecase|precomposeunicode|attributesfile)|lfs\..*)$/;

export function isGuarded(key: string, file: SettingsFile): boolean {
  // Which of its files the user's checkout shows is for the user to say, at any time.
  return GUARDED.test(key.toLowerCase()) && !(file === "config.worktree" && /sparse/i.test(key));
}

export function shapesFiles(key: string): boolean {
  return SHAPES_FILES.test(key.toLowerCase());
}

/** What is another now, one entry for each setting, hook, attributes file or replaced object. */
export function plantedBetween(before: Guarded, now: Guarded): Planted[] {
  const settings = SETTINGS_FILES.flatMap((file) => {
    const valuesOf = (guarded: Guarded, name: string): string[] =>
      guarded.settings.filter(([key, , where]) => key === name && where === file).map(([, value]) => value);
    const names = new Set([...before.settings, ...now.settings].filter(([, , where]) => where === file).map(([key]) => key));
    return [...names].flatMap((name): Planted[] => {
      const [old, present] = [valuesOf(before, name), valuesOf(now, name)];
      return JSON.stringify(old) === JSON.stringify(present) ? [] : [{ kind: "setting", name, file, before: old, now: present }];
    });
  });
  const attributes = ({ attributes: text }: Guarded): Record<string, string> => (text === null ? {} : { "info/attributes": text });
  return [
    ...settings,
    ...namedBetween("hook", before.hooks, now.hooks),
    ...namedBetween("attributes", attributes(before), attributes(now)),
    ...namedBetween("replacement", before.replacements, now.replacements),
  ];
}

type Named = Readonly<Record<string, string>>;

function namedBetween(kind: "hook" | "attributes" | "replacement", before: Named, now: Named): Planted[] {
  // In the order of names: a folder of hooks comes before what belongs into it.
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].sort().flatMap((name): Planted[] => {
    const [old, present] = [before[name] ?? null, now[name] ?? null];
    return old === present ? [] : [{ kind, name, before: old, now: present }];
  });
}

const WHAT = {
  hook: (name: string) => (name === "." ? "the link in the place of the hooks' folder" : `hook ${name}`),
  attributes: (name: string) => name,
  replacement: (name: string) => `the replacement of object ${name.slice(name.lastIndexOf("/") + 1)}`,
};

/** "core.bare = true (was: not set)", for people. */
export function plantedText(planted: Planted): string {
  if (planted.kind === "setting") {
    const show = (values: readonly string[]): string =>
      values.length === 0 ? "not set" : values.map((value) => value.slice(0, 80)).join(", ");
    const where = planted.file === "config" ? "" : ` in ${planted.file}`;
    return `${planted.name} = ${show(planted.now)}${where} (was: ${show(planted.before)})`;
  }
  const what = WHAT[planted.kind](planted.name);
  return `${what} was ${planted.now === null ? "removed" : planted.before === null ? "added" : "changed"}`;
}

/** A configuration file with these settings, and nothing a value could break out of. */
export function configText(settings: readonly (readonly [key: string, value: string])[]): string {
  const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  return settings
    .map(([key, value]) => {
      const [first, last] = [key.indexOf("."), key.lastIndexOf(".")];
      const subsection = first === last ? "" : ` ${quoted(key.slice(first + 1, last)).replaceAll("\\n", "")}`;
      return `[${key.slice(0, first)}${subsection}]\n\t${key.slice(last + 1)} = ${quoted(value)}\n`;
    })
    .join("");
}
