export type Source = { path: string; text: string };

export type Import = {
  specifier: string;
  line: number;
  /** Names taken from the module; empty for a bare, namespace, default or dynamic import. */
  names: readonly string[];
  form: "static" | "dynamic" | "namespace" | "default";
};

const REGEX_MAY_FOLLOW = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|await|yield|else))\s*$/;

/**
 * The text with comments blanked, and where `strings` is false the insides of strings, templates and regular
 * expressions too. Lines and columns stay where they were.
 */
export function blank(text: string, keep: { strings: boolean }): string {
  let out = "";
  /** For each template that is open: how many braces are open inside its `${`. */
  const templates: number[] = [];
  const hide = (part: string) => part.replace(/[^\n]/g, " ");
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const comment = /^(?:\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))/.exec(rest)?.[0];
    const quoted = /^(?:"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')/.exec(rest)?.[0] ?? regexAt(rest, out);
    const closesHole = rest[0] === "}" && templates.at(-1) === 0;
    if (comment !== undefined) {
      out += hide(comment);
      at += comment.length;
    } else if (quoted !== undefined) {
      out += keep.strings ? quoted : (quoted[0] ?? "") + hide(quoted.slice(1, -1)) + (quoted.at(-1) ?? "");
      at += quoted.length;
    } else if (rest[0] === "`" || closesHole) {
      if (closesHole) templates.pop();
      const chunk = /^[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/.exec(rest)?.[0] ?? rest;
      if (chunk.endsWith("${")) templates.push(0);
      out += keep.strings ? chunk : (chunk[0] ?? "") + hide(chunk.slice(1));
      at += chunk.length;
    } else {
      const open = templates.length - 1;
      if (open >= 0 && rest[0] === "{") templates[open] = (templates[open] ?? 0) + 1;
      if (open >= 0 && rest[0] === "}") templates[open] = (templates[open] ?? 0) - 1;
      out += rest[0];
      at += 1;
    }
  }
  return out;
}

function regexAt(rest: string, before: string): string | undefined {
  if (rest[0] !== "/" || !REGEX_MAY_FOLLOW.test(before.slice(-40))) return undefined;
  return /^\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(rest)?.[0];
}

const STATEMENT = /\b(?:import|export)\s+(?:type\s+)?((?:[\w$]+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)?)\s*from\s*["']([^"']+)["']/g;
const BARE = /\bimport\s*["']([^"']+)["']/g;
const DYNAMIC = /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g;

/** Every import and re-export of a source, with its line. */
export function importsOf(source: Source): Import[] {
  const code = blank(source.text, { strings: true });
  const found: Import[] = [];
  for (const match of code.matchAll(STATEMENT)) {
    const [, clause = "", specifier = ""] = match;
    found.push({ specifier, line: lineAt(code, match.index), ...clauseOf(clause) });
  }
  for (const match of code.matchAll(BARE))
    found.push({ specifier: match[1] ?? "", line: lineAt(code, match.index), names: [], form: "static" });
  for (const match of code.matchAll(DYNAMIC)) {
    found.push({ specifier: match[1] ?? "", line: lineAt(code, match.index), names: [], form: "dynamic" });
  }
  return found.sort((a, b) => a.line - b.line);
}

function clauseOf(clause: string): Pick<Import, "names" | "form"> {
  const named = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  const names = named
    .split(",")
    .map((name) =>
      name
        .trim()
        .replace(/^type\s+/, "")
        .replace(/\s+as\s+.*$/s, ""),
    )
    .filter((name) => name !== "");
  const isDefault = /^\s*[\w$]/.test(clause);
  return { names, form: clause.includes("*") ? "namespace" : isDefault ? "default" : "static" };
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
