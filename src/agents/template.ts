import { GraftworkError } from "../domain/index.ts";

/** A text, or a list whose items repeat a section. An empty text or list hides its section. */
export type TemplateValues = Readonly<Record<string, string | readonly Readonly<Record<string, string>>[]>>;

const TAG = /(?:(^[ \t]*)|)\{\{([#^/]?)([^{}]*)\}\}(?:([ \t]*\n)|)/gm;

type Node = { text: string } | { name: string } | { section: string; inverted: boolean; body: Node[] };

/**
 * Fills a template: `{{name}}` is a value, `{{#name}}…{{/name}}` appears where the value is not empty and once for
 * each item of a list, `{{^name}}…{{/name}}` where it is empty. Nothing in a value is a tag; an unknown name is an
 * error, so that a slip in an own template is seen at once.
 */
export function renderTemplate(template: string, values: TemplateValues): string {
  return render(parse(template), [values]);
}

function parse(template: string): Node[] {
  const root: Node[] = [];
  const open: { name: string; body: Node[] }[] = [{ name: "", body: root }];
  let at = 0;
  for (const match of template.matchAll(TAG)) {
    const [whole, indent = "", sigil = "", inner = "", lineEnd = ""] = match;
    const name = inner.trim();
    const top = open.at(-1) ?? { name: "", body: root };
    if (!/^[\w-]+$/.test(name)) throw bad(`{{${sigil}${inner}}} is not a tag`, "a tag holds one name of letters, digits and underscores");
    // A section's tag alone on its line takes the whole line with it.
    const alone = sigil !== "" && match[1] !== undefined && (lineEnd !== "" || match.index + whole.length === template.length);
    top.body.push({ text: template.slice(at, match.index) + (alone ? "" : indent) });
    at = match.index + whole.length - (alone ? 0 : lineEnd.length);
    if (sigil === "") top.body.push({ name });
    else if (sigil === "/") {
      if (open.length === 1 || top.name !== name)
        throw bad(`{{/${name}}} closes nothing`, `open is ${top.name === "" ? "no section" : `{{#${top.name}}}`}`);
      open.pop();
    } else {
      const body: Node[] = [];
      top.body.push({ section: name, inverted: sigil === "^", body });
      open.push({ name, body });
    }
  }
  const left = open.at(-1);
  if (left !== undefined && left.name !== "") throw bad(`{{#${left.name}}} is never closed`, `{{/${left.name}}} is missing`);
  root.push({ text: template.slice(at) });
  return root;
}

function render(nodes: readonly Node[], scopes: readonly TemplateValues[]): string {
  return nodes.map((node) => renderNode(node, scopes)).join("");
}

function renderNode(node: Node, scopes: readonly TemplateValues[]): string {
  if ("text" in node) return node.text;
  if ("name" in node) {
    const value = lookUp(node.name, scopes);
    if (typeof value !== "string") throw bad(`{{${node.name}}} is a list`, "a list is shown by a section");
    return value;
  }
  const value = lookUp(node.section, scopes);
  if (node.inverted) return value.length === 0 ? render(node.body, scopes) : "";
  if (typeof value === "string") return value === "" ? "" : render(node.body, scopes);
  return value.map((item) => render(node.body, [item, ...scopes])).join("");
}

function lookUp(name: string, scopes: readonly TemplateValues[]): TemplateValues[string] {
  for (const scope of scopes) {
    const value = Object.hasOwn(scope, name) ? scope[name] : undefined;
    if (value !== undefined) return value;
  }
  throw bad(`{{${name}}} is not known`, `the names here are ${scopes.flatMap(Object.keys).join(", ")}`);
}

function bad(what: string, because: string): GraftworkError {
  return new GraftworkError("CONFIG_INVALID", {
    message: `The prompt template cannot be used: ${what}.`,
    because: `${because}.`,
    try: "correct the template, or remove it to use the one that ships.",
  });
}
