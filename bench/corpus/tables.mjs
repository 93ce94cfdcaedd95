import { CLASSES } from "./judge.mjs";

/** Counts of outcomes by rule: add one file at a time, then print. */
export function tallies() {
  const rows = new Map();
  return {
    add(name, outcome) {
      const row = rows.get(name) ?? Object.fromEntries(CLASSES.map((one) => [one, 0]));
      row[outcome]++;
      rows.set(name, row);
    },
    row: (name) => rows.get(name),
    names: () => [...rows.keys()].sort(),
  };
}

/** A table in Markdown: per rule the files taken, how they compare, and the share equal to what people committed. */
export function table(counts, order) {
  const head = ["", "taken", ...CLASSES, "equal"];
  const lines = order.map((name) => {
    const row = counts.row(name) ?? {};
    const taken = CLASSES.reduce((sum, one) => sum + (row[one] ?? 0), 0);
    const equal = (row.bytes ?? 0) + (row["white space"] ?? 0) + (row.order ?? 0);
    return [name, taken, ...CLASSES.map((one) => row[one] ?? 0), share(equal, taken)];
  });
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export const share = (part, whole) => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(0)} %`);
