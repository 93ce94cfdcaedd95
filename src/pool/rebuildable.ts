import { basename, dirname } from "node:path";
import { below, lstatBelow, readBelow, readFolder } from "../git/index.ts";
import { parseIgnore, sayOf } from "./ignore-patterns.ts";

/**
 * Names of folders and files that any build makes again and that nobody uses for work of their own: they are neither
 * saved nor missed, wherever they are.
 */
export const REBUILDABLE: readonly string[] = [
  "node_modules/",
  "__pycache__/",
  ".pytest_cache/",
  ".mypy_cache/",
  ".ruff_cache/",
  ".tox/",
  ".nox/",
  ".venv/",
  ".gradle/",
  ".next/",
  ".nuxt/",
  ".svelte-kit/",
  ".turbo/",
  ".parcel-cache/",
  ".nyc_output/",
  ".dart_tool/",
  ".stack-work/",
  ".terraform/",
  ".zig-cache/",
  ".eslintcache",
];

/**
 * Names that people use for their own work too. They count only where git ignores them, and where what makes them
 * stands beside (or, with a slash at its beginning, in the folder itself).
 */
export const REBUILDABLE_BESIDE: readonly { ecosystem: string; beside: readonly string[]; folders: readonly string[] }[] = [
  { ecosystem: "JavaScript", beside: ["package.json"], folders: ["dist", "build", "coverage"] },
  { ecosystem: "Python", beside: ["pyproject.toml", "setup.py", "setup.cfg"], folders: ["build", "dist", "*.egg-info"] },
  { ecosystem: "Python", beside: ["/pyvenv.cfg"], folders: ["venv", "env"] },
  { ecosystem: "Rust", beside: ["Cargo.toml"], folders: ["target"] },
  { ecosystem: "Go", beside: ["/modules.txt"], folders: ["vendor"] },
  { ecosystem: "Maven", beside: ["pom.xml"], folders: ["target"] },
  { ecosystem: "Gradle", beside: ["build.gradle", "build.gradle.kts"], folders: ["build"] },
  { ecosystem: "Scala", beside: ["build.sbt"], folders: ["target"] },
  { ecosystem: "Ruby", beside: ["Gemfile"], folders: ["vendor/bundle"] },
  { ecosystem: "PHP", beside: ["composer.json"], folders: ["vendor"] },
  { ecosystem: ".NET", beside: ["*.csproj", "*.fsproj", "*.vbproj"], folders: ["bin", "obj"] },
  { ecosystem: "Dart", beside: ["pubspec.yaml"], folders: ["build"] },
  { ecosystem: "Elixir", beside: ["mix.exs"], folders: ["_build", "deps"] },
  { ecosystem: "Haskell", beside: ["*.cabal", "cabal.project"], folders: ["dist-newstyle"] },
  { ecosystem: "OCaml", beside: ["dune-project"], folders: ["_build"] },
  { ecosystem: "Swift", beside: ["Package.swift"], folders: [".build"] },
  { ecosystem: "CocoaPods", beside: ["Podfile"], folders: ["Pods"] },
  { ecosystem: "CMake", beside: ["/CMakeCache.txt"], folders: ["build"] },
  { ecosystem: "Zig", beside: ["build.zig"], folders: ["zig-out"] },
  { ecosystem: "Elm", beside: ["elm.json"], folders: ["elm-stuff"] },
];

/** What has to be known of a slot's files. Paths are relative, the slot itself is the empty one. */
export type SlotFiles = {
  /** Names in a folder; none where it is not one. */
  namesIn: (folder: string) => readonly string[];
  /** The text of a file; undefined where there is none. */
  textOf: (path: string) => string | undefined;
};

const plain = new Set(REBUILDABLE);
const rules = REBUILDABLE_BESIDE.map(({ beside, folders }) => ({
  markers: beside.map((name) => ({ inside: name.startsWith("/"), matches: nameMatcher(name.replace(/^\//, "")) })),
  folders: folders.map((folder) => ({ matches: nameMatcher(basename(folder)), parent: folder.includes("/") ? dirname(folder) : null })),
}));

/** Tells untracked files, and folders (ending in `/`), of a slot that builds make again. */
export function rebuildableIn(files: SlotFiles): (path: string) => boolean {
  const isIgnored = ignoredIn(files.textOf);
  return (path) => {
    const isFolder = path.endsWith("/");
    if (plain.has(`${basename(path)}${isFolder ? "/" : ""}`)) return true;
    return isFolder && isMadeBeside(path.slice(0, -1), files.namesIn) && isIgnored(path.slice(0, -1));
  };
}

/** The same of a slot on disk: looks at its files only where a name is among the doubtful ones. */
export function rebuildableInSlot(slot: { path: string }): (path: string) => boolean {
  return rebuildableIn({
    namesIn: (folder) =>
      folder === "" || lstatBelow(slot.path, folder)?.isDirectory() === true
        ? readFolder(folder === "" ? slot.path : below(slot.path, folder, "disk")).map(({ name }) => name)
        : [],
    textOf: (path) => (lstatBelow(slot.path, path)?.isFile() === true ? readBelow(slot.path, path)?.toString("utf8") : undefined),
  });
}

function isMadeBeside(path: string, namesIn: SlotFiles["namesIn"]): boolean {
  return rules.some(({ markers, folders }) => {
    const folder = folders.find(
      ({ matches, parent }) => matches(basename(path)) && (parent === null || basename(dirname(path)) === parent),
    );
    if (folder === undefined) return false;
    const beside = parentOf(folder.parent === null ? path : dirname(path));
    return markers.some(({ inside, matches }) => namesIn(inside ? path : beside).some(matches));
  });
}

function nameMatcher(name: string): (other: string) => boolean {
  return name.startsWith("*") ? (other) => other.length >= name.length && other.endsWith(name.slice(1)) : (other) => other === name;
}

function parentOf(path: string): string {
  return path.includes("/") ? dirname(path) : "";
}

/** Tells folders that the `.gitignore` files above them ignore. */
export function ignoredIn(textOf: SlotFiles["textOf"]): (folder: string) => boolean {
  const isNamedAt = (path: string): boolean => {
    // The nearest file that says anything about it counts.
    for (let at = path; at !== ""; ) {
      at = parentOf(at);
      const said = sayOf(
        parseIgnore(textOf(at === "" ? ".gitignore" : `${at}/.gitignore`) ?? ""),
        at === "" ? path : path.slice(at.length + 1),
        true,
      );
      if (said !== undefined) return said;
    }
    return false;
  };
  return (folder) => folder.split("/").some((_, index, parts) => isNamedAt(parts.slice(0, index + 1).join("/")));
}

/** The list as `graftwork config` shows it. */
export function rebuildableText(): string[] {
  const beside = REBUILDABLE_BESIDE.map(({ beside: markers, folders }) => {
    const [inside, outside] = [markers.filter((name) => name.startsWith("/")), markers.filter((name) => !name.startsWith("/"))];
    const where = outside.length > 0 ? `beside ${outside.join(" or ")}` : `with ${inside.map((name) => name.slice(1)).join(" or ")} in it`;
    return `${folders.map((folder) => `${folder}/`).join(", ")} ${where}`;
  });
  return [`  ${REBUILDABLE.join(", ")}`, ...beside.map((text) => `  where git ignores it: ${text}`)];
}
