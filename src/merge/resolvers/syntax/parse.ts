import type { ParserOptions, ParserPlugin } from "@babel/parser";
import type { Expression, Program } from "@babel/types";

/** The syntax tree of a file: its program, or of JSON its value. */
export type Tree = Program | Expression;

/** The tree of a text in the language that the path says; undefined where it does not parse. */
export type Parse = (path: string, text: string) => Tree | undefined;

const SCRIPT = /\.([cm]?)([jt]s)(x?)$/;

/** True for the kinds of files that have a syntax tree: TypeScript, JavaScript and JSON. */
export const hasSyntax = (path: string): boolean => SCRIPT.test(path) || path.endsWith(".json");

/** True for TypeScript and JavaScript. */
export const isScript = (path: string): boolean => SCRIPT.test(path);

/**
 * The parser, which is loaded when it is needed first: half a megabyte that most verbs have no use for. What is asked
 * twice is parsed once.
 */
export async function loadParser(): Promise<Parse> {
  const { parse, parseExpression } = await import("@babel/parser");
  const known = new Map<string, Tree | undefined>();
  const treeOf = (path: string, text: string): Tree | undefined => {
    try {
      return isScript(path) ? parse(text, optionsFor(path)).program : parseExpression(text, { attachComment: false });
    } catch {
      return undefined;
    }
  };
  return (path, text) => {
    const key = `${path}\0${text}`;
    if (!known.has(key)) known.set(key, treeOf(path, text));
    return known.get(key);
  };
}

/** As lenient as projects are about where a `return` or an `await` stands; a name declared twice is an error all the same. */
function optionsFor(path: string): ParserOptions {
  const [, module, language, x] = SCRIPT.exec(path) ?? [];
  const jsx: ParserPlugin[] = language === "js" || x === "x" ? ["jsx"] : [];
  const types: ParserPlugin[] = language === "ts" ? [["typescript", { dts: /\.d\.[cm]?ts$/.test(path) }]] : [];
  return {
    sourceType: module === "c" ? "script" : "unambiguous",
    attachComment: false,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowUndeclaredExports: true,
    plugins: ["decorators-legacy", ...types, ...jsx],
  };
}
