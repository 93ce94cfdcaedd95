import pc from "picocolors";
import width from "string-width";
import { money } from "./money.js";

/** A receipt as text: names on the left, money on the right, however wide a character is. */
export function print({ lines, total }, colors = pc) {
  const rows = [...lines, { text: "Total", cents: total }];
  const left = Math.max(...rows.map((row) => width(row.text))) + 4;
  const right = Math.max(...rows.map((row) => money(row.cents).length));
  return rows
    .map(({ text, cents }) => `${text}${" ".repeat(left - width(text))}${money(cents).padStart(right)}`)
    .map((row, at) => (at === rows.length - 1 ? colors.bold(row) : row))
    .join("\n");
}
