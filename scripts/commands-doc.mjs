// Writes docs/commands.md from the help texts of the built program; `--check` only says whether it is as it should be.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureReady, root } from "./setup.mjs";

const unknown = process.argv.slice(2).filter((argument) => argument !== "--check");
if (unknown.length > 0) throw new Error(`unknown argument ${unknown.join(" ")}; there is only --check`);
await ensureReady();
const target = join(root, "docs", "commands.md");
const text = `# Commands\n\nThe help texts of the program itself (\`node scripts/commands-doc.mjs\` writes this page, a test compares it). \`pool-manager VERB\` is \`graftwork pool VERB\`. Every verb takes \`--json\`: one object on stdout, people's text on stderr.\n\n${sections([]).join("\n")}`;

if (process.argv.includes("--check")) {
  const same = readFileSync(target, "utf8") === text;
  process.stdout.write(
    same
      ? "docs/commands.md is as the help texts are\n"
      : "docs/commands.md differs from the help texts: run node scripts/commands-doc.mjs\n",
  );
  process.exitCode = same ? 0 : 1;
} else writeFileSync(target, text);

function sections(words) {
  const help = helpOf(words);
  const below = [...help.matchAll(/^ {2}([a-z][a-z-]*)(?: \[options\])?(?: [<[].*?)? {2,}\S/gm)]
    .map((match) => match[1])
    .filter((name) => name !== "help");
  const commands = help.includes("\nCommands:") ? below.filter((name) => help.indexOf(`\n  ${name}`) > help.indexOf("\nCommands:")) : [];
  const title = `## ${["graftwork", ...words].join(" ")}\n\n\`\`\`\n${help.trimEnd()}\n\`\`\`\n`;
  return [title, ...commands.flatMap((name) => sections([...words, name]))];
}

function helpOf(words) {
  const { stdout, status } = spawnSync(process.execPath, [join(root, "bin", "graftwork.js"), ...words, "--help"], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "100" },
  });
  if (status !== 0) throw new Error(`graftwork ${words.join(" ")} --help ended with ${status}`);
  return stdout;
}
