/** The modules in the order of the table, each with the modules it may import. */
export type ImportTable = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads `| module | responsibility | may import |` out of ARCHITECTURE.md. A cell of imports is a list of `names`,
 * "nothing", "everything above" or "everything".
 */
export function readTable(markdown: string): ImportTable {
  const lines = markdown.split("\n");
  const head = lines.findIndex((line) => /^\|\s*module\s*\|\s*responsibility\s*\|\s*may import\s*\|/.test(line));
  if (head < 0) throw new Error("ARCHITECTURE.md has no table `| module | responsibility | may import |`");
  const rows: { modules: string[]; may: string }[] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith("|")) break;
    const cells = line.split("|").map((cell) => cell.trim());
    rows.push({ modules: codeWords(cells[1] ?? ""), may: cells[3] ?? "" });
  }
  const all = rows.flatMap((row) => row.modules);
  const table = new Map<string, Set<string>>();
  for (const { modules, may } of rows) {
    const above = [...table.keys()];
    for (const module of modules) table.set(module, new Set(allowed(may, above, all)));
  }
  return table;
}

function allowed(cell: string, above: readonly string[], all: readonly string[]): readonly string[] {
  if (cell.startsWith("nothing")) return [];
  if (cell.startsWith("everything above")) return above;
  if (cell.startsWith("everything")) return all;
  const names = codeWords(cell);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined || names.length === 0)
    throw new Error(`ARCHITECTURE.md: cannot read the imports "${cell}" (${unknown ?? "no names"})`);
  return names;
}

function codeWords(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}
