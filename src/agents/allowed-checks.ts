import type { AgentSpec, Check } from "../domain/index.ts";

const FLAGS = ["--allowedTools", "--allowed-tools"];

/**
 * Adds the plan's checks to an allow-list in claude's syntax, so that the agent may try what QA will run. A spec
 * without such a list comes back as it is, and a check whose text cannot be said safely as a rule is left out.
 */
export function withAllowedChecks(spec: AgentSpec, checks: readonly Check[]): AgentSpec {
  const [program, ...args] = spec.command;
  const flag = args.findIndex((arg) => FLAGS.includes(arg));
  if (flag === -1) return spec;
  const next = args.findIndex((arg, index) => index > flag && arg.startsWith("-"));
  const end = next === -1 ? args.length : next;
  const known = new Set(args.slice(flag + 1, end));
  const rules = [...new Set(checks.flatMap(rulesOf))].filter((rule) => !known.has(rule));
  return { ...spec, command: [program, ...args.slice(0, end), ...rules, ...args.slice(end)] };
}

/** Characters that mean nothing to a shell nor to a rule: no quotes, globs, expansions, brackets, commas. */
const PLAIN_WORD = /^[A-Za-z0-9_./@%+][A-Za-z0-9_./:=@%+-]*$|^--?[A-Za-z0-9][A-Za-z0-9_./:=@%+-]*$/;

/** `npm test`, `pnpm run lint`: the words after ` -- ` go to a script that the agent could edit anyway. */
const PACKAGE_SCRIPT = /^(npm|pnpm|yarn|bun) (test|run [\w:.-]+)$/;

/** Programs that run what they are told on standard input or by their arguments. */
const INTERPRETERS =
  /^(?:.*\/)?(?:(?:ba|da|z|k|fi|c|tc)?sh|node|deno|bun|python[\d.]*|ruby|perl|php|lua|Rscript|xargs|env|sudo|eval|exec|source|\.)$/;

/** Of these, calls that only run the project's own tests and tools. */
const RUNS_TOOL = /^\S*(?:python[\d.]* -m (?:pytest|unittest|mypy|ruff|flake8|black|tox|nox)|node --test)(?: |$)/;

function rulesOf(check: Check): string[] {
  if (typeof check.run !== "string") return ruleOf(check.run);
  // claude judges each part of a chain by itself.
  const parts = check.run
    .trim()
    .split(/\s+&&\s+/)
    .map((part) => ruleOf(part.split(/[ \t]+/)));
  return parts.every((rules) => rules.length > 0) ? parts.flat() : [];
}

function ruleOf(words: readonly string[]): string[] {
  const [program, ...args] = words;
  // A leading `NAME=value` is left out: what follows is then no longer the program.
  if (program === undefined || program.includes("=") || !words.every((word) => PLAIN_WORD.test(word))) return [];
  // `node test.js` is a check like another; a bare `sh` would allow `anything | sh`, and `node -e` anything at all.
  const text = words.join(" ");
  if (INTERPRETERS.test(program) && (args[0] === undefined || args[0].startsWith("-")) && !RUNS_TOOL.test(text)) return [];
  if (text.endsWith(":")) return [];
  if (!PACKAGE_SCRIPT.test(text)) return [`Bash(${text})`];
  return [text, ...alsoSaid(text)].flatMap((one) => [`Bash(${one})`, `Bash(${one} --:*)`]);
}

/** `npm test` and `npm run test` are one: an agent says it as it likes. (`bun test` is bun's own runner.) */
function alsoSaid(text: string): string[] {
  const [, program, run] = /^(npm|pnpm|yarn) (run )?test$/.exec(text) ?? [];
  return program === undefined ? [] : [run === undefined ? `${program} run test` : `${program} test`];
}
