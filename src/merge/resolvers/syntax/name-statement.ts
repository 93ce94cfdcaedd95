import type { Expression, ExpressionStatement, Statement, VariableDeclaration } from "@babel/types";
import { isInert, isInertClass } from "./inert.ts";
import { free, type Naming, named, ordered, rigid } from "./naming.ts";

/**
 * What a statement declares, and whether its place means something: functions and types are there before any statement
 * runs, declarations with inert values run nothing. `outline` is its text without what is in braces.
 */
export function nameStatement(statement: Statement, outline: string): Naming {
  switch (statement.type) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ClassDeclaration": {
      const name = statement.id?.name ?? "default";
      const isFree = statement.type !== "ClassDeclaration" || isInertClass(statement);
      return named(name, (isFree ? free : ordered)(`value ${name}`));
    }
    case "TSEnumDeclaration":
      return free(`value ${statement.id.name}`);
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return free(`type ${statement.id.name}`);
    case "TSModuleDeclaration":
      return (statement.declare === true ? free : ordered)(outline);
    case "VariableDeclaration":
      return nameVariables(statement, outline);
    case "ExpressionStatement":
      return nameExpression(statement, outline);
    case "ImportDeclaration": {
      const { specifiers, source, importKind } = statement;
      if (specifiers.length === 0) return ordered(outline);
      const form = specifiers.some(({ type }) => type === "ImportNamespaceSpecifier") ? " *" : "";
      return free(`import ${importKind ?? "value"}${form} ${source.value}`);
    }
    case "ExportAllDeclaration":
      return free(`export * ${statement.exportKind ?? "value"} ${statement.source.value}`);
    case "ExportNamedDeclaration": {
      const { declaration, source, exportKind, specifiers } = statement;
      if (declaration != null) return nameStatement(declaration, outline);
      const form = specifiers.some(({ type }) => type === "ExportNamespaceSpecifier") ? ` ${outline}` : "";
      return free(`export ${exportKind ?? "value"}${form} ${source?.value ?? "names"}`);
    }
    case "ExportDefaultDeclaration":
      return (statement.declaration.type.endsWith("Declaration") ? free : ordered)("export default");
    case "ReturnStatement":
    case "ThrowStatement":
    case "BreakStatement":
    case "ContinueStatement":
      return rigid(outline);
    default:
      return ordered(outline);
  }
}

function nameVariables({ declarations, declare }: VariableDeclaration, outline: string): Naming {
  const names = declarations.map(({ id }) => (id.type === "Identifier" ? id.name : undefined));
  if (names.includes(undefined)) return ordered(outline);
  const isFree = declare === true || declarations.every(({ init }) => init == null || isInert(init));
  return (isFree ? free : ordered)(`value ${names.join(" ")}`);
}

/** What test runners call with a title and a function: tests that are listed one by one. */
const TEST = /^(?:it|test|describe|suite|context|specify)(?:\.(?:skip|only|concurrent))?$/;

/** `exports.a = function …`: a member set from outside is one too. */
function nameExpression({ expression }: ExpressionStatement, outline: string): Naming {
  const title = titleOf(expression);
  if (title !== undefined) return free(`test ${title}`);
  if (expression.type !== "AssignmentExpression" || expression.operator !== "=") return ordered(outline);
  const target = pathOf(expression.left);
  if (target === undefined) return ordered(outline);
  if (target === "module.exports" || !target.includes(".")) return rigid(`set ${target}`);
  return (isInert(expression.right) ? free : ordered)(`set ${target}`);
}

/** The title of a test; undefined where an expression is none. */
function titleOf(expression: Expression): string | undefined {
  if (expression.type !== "CallExpression" || !TEST.test(pathOf(expression.callee) ?? "")) return undefined;
  const [title, ...rest] = expression.arguments;
  const isTest = rest.some(({ type }) => type === "ArrowFunctionExpression" || type === "FunctionExpression");
  return isTest && title?.type === "StringLiteral" ? title.value : undefined;
}

function pathOf(target: { type: string } | Expression): string | undefined {
  if (target.type === "ThisExpression") return "this";
  if (target.type === "Identifier" && "name" in target) return target.name;
  if (target.type !== "MemberExpression" || !("object" in target) || !("property" in target)) return undefined;
  const { object, property } = target;
  if (("computed" in target && target.computed === true) || property.type !== "Identifier" || !("name" in property)) return undefined;
  const parent = pathOf(object);
  return parent === undefined ? undefined : `${parent}.${property.name}`;
}
