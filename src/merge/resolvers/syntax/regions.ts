import type { Node, Program, Statement } from "@babel/types";
import { type ListedMember, nameMember } from "./name-member.ts";
import { nameStatement } from "./name-statement.ts";
import type { Naming } from "./naming.ts";
import type { Tree } from "./parse.ts";

/** One member as it stands in a text, from its first character to behind its last; `regions` are those within it. */
export type Entry = Naming & { from: number; to: number; regions: readonly Region[] };

/** A place of a text that holds members: what is between a pair of braces, or the whole file. */
export type Region = { kind: string; from: number; to: number; entries: readonly Entry[]; separator: Separator };

/** What is between members: a comma, the bar of a union, or only a line break. */
export type Separator = "," | "|" | "";

/** The outermost regions of a tree: of a script the whole file, of JSON its object. */
export function regionsOf(tree: Tree, text: string): readonly Region[] {
  return tree.type === "Program" ? [programRegion(tree, text)] : regionsWithin(tree, text);
}

const DIRECTIVE_END = /[^\n]*(?:\n|$)/y;
/** A comment at the top with a blank line behind it is the file's, not its first statement's. */
const FILE_COMMENT = /(?:#![^\n]*\n)?(?:[ \t]*\r?\n)*(?:\/\*(?:[^*]|\*(?!\/))*\*\/[ \t]*\r?\n|(?:\/\/[^\n]*\n)+)(?=[ \t]*\r?\n)/y;
const INTERPRETER = /#![^\n]*\n/y;

function programRegion(program: Program, text: string): Region {
  const directive = program.directives.at(-1);
  const from =
    directive === undefined
      ? (endOf(FILE_COMMENT, text, 0) ?? endOf(INTERPRETER, text, 0) ?? 0)
      : (endOf(DIRECTIVE_END, text, directive.end ?? 0) ?? 0);
  return { kind: "Program", from, to: text.length, entries: statements(program.body, text), separator: "" };
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** The outermost regions below a node, or of the node itself, in the order of the text. */
function regionsWithin(node: Node, text: string): readonly Region[] {
  const own = regionOf(node, text);
  if (own !== undefined) return [own];
  return childrenOf(node)
    .flatMap((child) => regionsWithin(child, text))
    .sort((one, other) => one.from - other.from);
}

function childrenOf(node: Node): Node[] {
  return Object.entries(node)
    .filter(([name]) => name !== "loc" && name !== "extra")
    .flatMap(([, value]: [string, unknown]) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is Node => typeof value === "object" && value !== null && "type" in value && "start" in value);
}

function regionOf(node: Node, text: string): Region | undefined {
  const braces = (entries: readonly Entry[], separator: Separator, from = start(node) + 1): Region => ({
    kind: node.type,
    from,
    to: end(node) - 1,
    entries,
    separator,
  });
  switch (node.type) {
    case "ClassBody":
    case "TSInterfaceBody":
      return braces(members(node.body, text), "");
    case "TSTypeLiteral":
      return braces(members(node.members, text), "");
    case "ObjectExpression":
      return braces(members(node.properties, text), ",");
    case "TSEnumDeclaration":
      return braces(members(node.members, text), ",", text.indexOf("{", end(node.id)) + 1);
    case "BlockStatement": {
      const directive = node.directives.at(-1);
      return braces(statements(node.body, text), "", directive === undefined ? undefined : end(directive));
    }
    case "SwitchStatement":
      return braces(members(node.cases, text), "", text.indexOf("{", end(node.discriminant)) + 1);
    case "TSTypeAliasDeclaration": {
      const union = node.typeAnnotation;
      if (union.type !== "TSUnionType") return undefined;
      return { kind: union.type, from: start(union), to: end(union), entries: members(union.types, text), separator: "|" };
    }
    case "TSModuleBlock":
      return braces(statements(node.body, text), "");
    case "ImportDeclaration":
      return listOfNames(
        node,
        text,
        node.specifiers.filter((one) => one.type === "ImportSpecifier"),
      );
    case "ExportNamedDeclaration":
      if (node.declaration != null) return undefined;
      return listOfNames(
        node,
        text,
        node.specifiers.filter((one) => one.type === "ExportSpecifier"),
      );
    default:
      return undefined;
  }
}

/** What is between the braces of an import or export; nothing where it has none. */
function listOfNames(node: Node, text: string, names: readonly ListedMember[]): Region | undefined {
  const [first, last] = [names[0], names.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const from = text.lastIndexOf("{", start(first)) + 1;
  const to = text.indexOf("}", end(last));
  return { kind: node.type, from, to, entries: members(names, text), separator: "," };
}

const start = (node: { start?: number | null }): number => node.start ?? 0;
const end = (node: { end?: number | null }): number => node.end ?? 0;

function statements(body: readonly Statement[], text: string): Entry[] {
  return entriesOf(body, text, (statement, outline) => nameStatement(statement, outline));
}

function members(list: readonly ListedMember[], text: string): Entry[] {
  return entriesOf(list, text, (member, outline) => nameMember(member, outline));
}

function entriesOf<N extends Node>(nodes: readonly N[], text: string, name: (node: N, outline: string) => Naming): Entry[] {
  const entries: Entry[] = [];
  for (const [n, node] of nodes.entries()) {
    const from = Math.min(start(node), ...decoratorsOf(node).map(start));
    const regions = regionsWithin(node, text);
    const entry = { ...name(node, outlineOf(text, from, end(node), regions)), from, to: end(node), regions };
    const before = entries.at(-1);
    const previous = nodes[n - 1];
    // The forms of an overloaded function are one member.
    if (before?.id === entry.id && previous !== undefined && isForm(previous)) {
      entries[entries.length - 1] = { ...before, to: entry.to, regions: [...before.regions, ...regions] };
    } else entries.push(entry);
  }
  return entries;
}

function decoratorsOf(node: Node): readonly Node[] {
  const declaration = "declaration" in node && node.declaration != null && typeof node.declaration === "object" ? [node.declaration] : [];
  return [node, ...declaration].flatMap((one) => ("decorators" in one ? (one.decorators ?? []) : []));
}

/** A function without a body: another form of it, or the one with the body, follows. */
function isForm(node: Node): boolean {
  const inner = node.type === "ExportNamedDeclaration" || node.type === "ExportDefaultDeclaration" ? node.declaration : undefined;
  return ["TSDeclareFunction", "TSDeclareMethod", "TSMethodSignature"].includes((inner ?? node).type);
}

/** A text without what is in its regions, and with runs of blanks as one: what stays when only members change. */
function outlineOf(text: string, from: number, to: number, regions: readonly Region[]): string {
  let outline = "";
  let at = from;
  for (const region of regions) {
    outline += text.slice(at, region.from);
    at = region.to;
  }
  return (outline + text.slice(at, to)).replace(/\s+/g, " ");
}
