import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Governed, GraftworkError } from "../domain/index.ts";
import { readBelow } from "../git/index.ts";
import { INCLUDE_FILE } from "../pool/index.ts";
import { readText } from "../state/index.ts";

/** The package's own folder: the bundle and the sources lie at different depths below it. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Templates of the texts that agents get. A repository may replace each by `.claude/templates/NAME`. */
const TEMPLATES = ["prompts/executor.md", "prompts/resolver.md"] as const;
type TemplateName = (typeof TEMPLATES)[number];

const pathOf = (name: TemplateName): string => `.claude/templates/${name}`;

/** The repository's own templates. */
export function ownTemplates(root: string): Governed[] {
  return TEMPLATES.flatMap((name) => {
    const text = readBelow(root, pathOf(name))?.toString("utf8");
    return text === undefined ? [] : [{ key: pathOf(name), purpose: "what agents are told", text }];
  });
}

/** The repository's list of untracked files that slots get a copy of. */
export function ownCopyList(root: string): Governed[] {
  const text = readBelow(root, INCLUDE_FILE)?.toString("utf8").trim() ?? "";
  return text === "" ? [] : [{ key: INCLUDE_FILE, purpose: "untracked files of yours that each slot gets a copy of", text }];
}

/** The repository's own template among these, else ours. */
export function templateText(own: readonly Governed[], name: TemplateName): string {
  const text = own.find(({ key }) => key === pathOf(name))?.text ?? readText(join(packageRoot(), "templates", name));
  if (text !== undefined) return text;
  throw new GraftworkError("INTERNAL", {
    message: `graftwork's template ${name} is missing.`,
    because: "the package does not hold it.",
    try: "install graftwork again.",
  });
}
