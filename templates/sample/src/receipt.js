import { steps } from "./steps.js";

/** The lines of a receipt and their total. `options` are those of the command line. */
export function receipt(basket, options = {}) {
  let lines = [];
  for (const step of steps) lines = [...lines, ...step({ basket, options, total: sum(lines) })];
  return { lines, total: sum(lines) };
}

function sum(lines) {
  return lines.reduce((total, line) => total + line.cents, 0);
}
