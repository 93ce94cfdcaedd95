/** What decides which programs git runs in a repository and where its files are, at one moment. */
export type Guarded = {
  /** Guarded keys with their values, in the order of the file; a key may be there more than once. */
  settings: readonly (readonly [key: string, value: string])[];
  /** `info/attributes`, which can tie a filter to any path; null: there is none. */
  attributes: string | null;
  /** Name of a hook → its text. */
  hooks: Readonly<Record<string, string>>;
};

/** One difference that was made while tasks were at work. */
export type Planted =
  | { kind: "setting"; name: string; before: readonly string[]; now: readonly string[] }
  | { kind: "hook" | "attributes"; name: string; before: string | null; now: string | null };

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

export function isGuarded(key: string): boolean {
  return GUARDED.test(key.toLowerCase());
}

export function shapesFiles(key: string): boolean {
  return SHAPES_FILES.test(key.toLowerCase());
}

/** What is another now, one entry for each setting, hook or attributes file. */
export function plantedBetween(before: Guarded, now: Guarded): Planted[] {
  const keys = new Set([...before.settings, ...now.settings].map(([key]) => key));
  const valuesOf = (guarded: Guarded, key: string): string[] => guarded.settings.filter(([one]) => one === key).map(([, value]) => value);
  const settings = [...keys].flatMap((name): Planted[] => {
    const [old, present] = [valuesOf(before, name), valuesOf(now, name)];
    return JSON.stringify(old) === JSON.stringify(present) ? [] : [{ kind: "setting", name, before: old, now: present }];
  });
  const names = new Set([...Object.keys(before.hooks), ...Object.keys(now.hooks)]);
  const hooks = [...names].flatMap((name): Planted[] => {
    const [old, present] = [before.hooks[name] ?? null, now.hooks[name] ?? null];
    return old === present ? [] : [{ kind: "hook", name, before: old, now: present }];
  });
  const { attributes } = now;
  const changed: Planted[] =
    attributes === before.attributes ? [] : [{ kind: "attributes", name: "info/attributes", before: before.attributes, now: attributes }];
  return [...settings, ...hooks, ...changed];
}

/** "core.bare = true (was: not set)", for people. */
export function plantedText(planted: Planted): string {
  if (planted.kind === "setting") {
    const show = (values: readonly string[]): string =>
      values.length === 0 ? "not set" : values.map((value) => value.slice(0, 80)).join(", ");
    return `${planted.name} = ${show(planted.now)} (was: ${show(planted.before)})`;
  }
  const what = planted.kind === "hook" ? `hook ${planted.name}` : planted.name;
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
