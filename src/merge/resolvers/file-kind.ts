import { markersIn } from "./proof/markers.ts";

const LOCKFILE =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.lock|composer\.lock|Gemfile\.lock|Cargo\.lock|poetry\.lock|uv\.lock|go\.sum)$/;
const GENERATED = /(?:^|\/)(?:dist|build|out|coverage|vendor|node_modules)\/|\.(?:min\.[cm]?js|min\.css|map)$|(?:^|\/)\.pnp\.[cm]?js$/;
const BANNER = /@generated\b|\bdo not edit\b|\bauto-?generated\b|^\s*\*?\s*Compiled: /im;
const BANNER_LINES = 20;

/** Why a file is never merged as text, whatever the rules say; undefined for ordinary ones. */
export function unmergeable(path: string, texts: readonly string[]): string | undefined {
  if (LOCKFILE.test(path)) return "lockfile: it is made anew from the merged manifest";
  if (GENERATED.test(path) || texts.some(hasBanner)) return "generated file: it is made anew from its sources";
  if (texts.some((text) => text.includes("\0"))) return "binary file";
  if (texts.some((text) => markersIn(text).some((line) => line.startsWith("<")))) return "a side holds committed conflict markers";
  return undefined;
}

function hasBanner(text: string): boolean {
  return BANNER.test(text.split("\n", BANNER_LINES).join("\n"));
}
