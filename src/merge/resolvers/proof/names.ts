import { importStatements, namesBoundBy } from "../import-statements.ts";

const IMPORT =
  /^(?:import\b[^'"();]*?\bfrom\s*['"][^'"\n]+['"]|(?:const|let|var)\s+[^'"();=]*?=\s*require\(\s*['"][^'"\n]+['"]\s*\))[ \t]*;?[ \t]*(?:\r?\n|$)/gm;
const DECLARED = /^(?:export\s+)?(?:declare\s+|abstract\s+)*(?:const|let|class|enum)\s+([\w$]+)/gm;
const EXPORTED =
  /^(?:export\s+(?:default\s+)?(?:async\s+)?(?:const|let|var|class|enum|type|interface)\s+([\w$]+)|(?:module\.)?exports\.([\w$]+)\s*=[^=])/gm;

/** What the imports and declarations of a JavaScript or TypeScript file say, read line by line without a parser. */
export type Names = {
  /** How often each name is bound by an import. */
  imported: ReadonlyMap<string, number>;
  /** How often each name is declared at the left margin, and how often exported. */
  declared: ReadonlyMap<string, number>;
  exported: ReadonlyMap<string, number>;
  /** Every name that stands outside of the imports, not behind a dot. */
  used: ReadonlySet<string>;
};

export function namesIn(text: string): Names {
  const imports = [...text.matchAll(IMPORT)].map(([statement]) => statement);
  const imported = imports.flatMap((statement) => importStatements(statement)?.flatMap(namesBoundBy) ?? []);
  const rest = text.replace(IMPORT, "\n");
  return {
    imported: tally(imported),
    declared: tally([...rest.matchAll(DECLARED)].map((match) => match[1] ?? "")),
    exported: tally([...rest.matchAll(EXPORTED)].map((match) => match[1] ?? match[2] ?? "")),
    used: new Set([...rest.matchAll(/(?<![\w$.])(?:\.\.\.)?([A-Za-z_$][\w$]*)/g)].map((match) => match[1] ?? "")),
  };
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/**
 * What the names of a merge have wrong that neither side has: a name imported, declared or exported more than once,
 * imported but not used any more, or used while its import is gone.
 */
export function nameDefects(merged: Names, sides: readonly Names[]): string[] {
  const most = (kind: "imported" | "declared" | "exported", name: string): number =>
    Math.max(1, ...sides.map((side) => side[kind].get(name) ?? 0));
  const repeated = (["imported", "declared", "exported"] as const).flatMap((kind) =>
    [...merged[kind]].filter(([name, count]) => count > most(kind, name)).map(([name]) => `${name} is ${kind} twice`),
  );
  const both = [...merged.imported.keys()]
    .filter((name) => merged.declared.has(name) && !sides.some((side) => side.imported.has(name) && side.declared.has(name)))
    .map((name) => `${name} is imported and declared`);
  const idle = [...merged.imported.keys()]
    .filter((name) => !merged.used.has(name) && sides.some((side) => side.imported.has(name) && side.used.has(name)))
    .map((name) => `${name} is imported, but what used it is gone`);
  const lost = [...new Set(sides.flatMap((side) => [...side.imported.keys()]))]
    .filter((name) => !merged.imported.has(name) && !merged.declared.has(name) && merged.used.has(name))
    .filter((name) => sides.some((side) => side.imported.has(name) && side.used.has(name)))
    .filter((name) => !sides.some((side) => !side.imported.has(name) && side.used.has(name)))
    .map((name) => `${name} is used, but its import is gone`);
  return [...repeated, ...both, ...idle, ...lost];
}
