import { readFileSync, writeFileSync } from "node:fs";
import { HEAD } from "./compare.mjs";

/** Where lines go: tables to stdout as they grow, what is being done to stderr. `text()` is all of the tables so far. */
export function tableOutput() {
  let text = "";
  const line = (added) => {
    text += added;
    process.stdout.write(added);
  };
  return {
    line,
    head: () => line(HEAD),
    progress: (what) => process.stderr.write(`bench: ${what}\n`),
    text: () => text,
  };
}

/** Puts tables into a page, between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function record(page, name, text) {
  const [before, rest] = readFileSync(page, "utf8").split(`<!-- ${name} -->`);
  const after = rest?.split(`<!-- /${name} -->`)[1];
  if (after === undefined) throw new Error(`${page} has no place for ${name}`);
  writeFileSync(page, `${before}<!-- ${name} -->\n${text.trim()}\n<!-- /${name} -->${after}`);
}
