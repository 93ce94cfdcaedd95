// `npm run lint`: every file parses, uses what it imports, and leaves talking to the command line.
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "acorn";
import { ancestor } from "acorn-walk";

const TALKS = ["src/cli.js", "scripts/lint.js"];
const problems = [];

for (const file of ["src", "test", "scripts"].flatMap(filesBelow)) {
  const text = readFileSync(file, "utf8");
  let tree;
  try {
    tree = parse(text, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true, locations: true });
  } catch (error) {
    problems.push(`${file}: ${error.message}`);
    continue;
  }
  const imported = new Map();
  const used = new Set();
  ancestor(tree, {
    ImportDeclaration: ({ specifiers }) => specifiers.forEach(({ local }) => imported.set(local.name, local.loc.start.line)),
    Identifier: ({ name }) => used.add(name),
    MemberExpression({ object, loc }) {
      if (object.name === "console" && !TALKS.includes(file)) problems.push(`${file}:${loc.start.line}: console is for src/cli.js`);
    },
  });
  for (const [name, line] of imported) if (!used.has(name)) problems.push(`${file}:${line}: ${name} is imported and not used`);
}

for (const problem of problems) console.error(problem);
console.log(`lint: ${problems.length === 0 ? "good" : `${problems.length} problem(s)`}`);
process.exitCode = problems.length === 0 ? 0 : 1;

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .map((name) => `${folder}/${name}`);
}
