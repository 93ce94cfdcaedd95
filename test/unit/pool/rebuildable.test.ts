import { describe, expect, test } from "vitest";
import { ignoredIn, rebuildableIn, rebuildableText } from "../../../src/pool/rebuildable.ts";

/** Files by their path, with their text; the folders above them are there too. */
function slotWith(files: Readonly<Record<string, string>>): Parameters<typeof rebuildableIn>[0] {
  const paths = Object.keys(files);
  return {
    namesIn: (folder) => {
      const below = paths.filter((path) => folder === "" || path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder === "" ? 0 : folder.length + 1).split("/")[0] ?? ""))];
    },
    textOf: (path) => files[path],
  };
}

describe("names that any build makes again, wherever they are", () => {
  test.for<[path: string, expected: boolean]>([
    ["node_modules/", true],
    ["packages/app/node_modules/", true],
    ["node_modules", false],
    ["__pycache__/", true],
    [".venv/", true],
    [".terraform/", true],
    [".eslintcache", true],
    [".eslintcache/", false],
    ["src/", false],
    ["my-node_modules/", false],
    ["notes.txt", false],
    ["dist/", false],
    ["vendor/", false],
    [".env", false],
  ])("%s: %s", ([path, expected]) => {
    expect(rebuildableIn(slotWith({ ".gitignore": "*\n" }))(path)).toBe(expected);
  });
});

describe("names that people use too: only beside what makes them, and where git ignores them", () => {
  test.for<[folder: string, marker: string]>([
    ["dist", "package.json"],
    ["coverage", "package.json"],
    ["build", "pyproject.toml"],
    ["sample.egg-info", "setup.py"],
    ["venv", "venv/pyvenv.cfg"],
    ["target", "Cargo.toml"],
    ["vendor", "vendor/modules.txt"],
    ["target", "pom.xml"],
    ["build", "build.gradle.kts"],
    ["target", "build.sbt"],
    ["vendor/bundle", "Gemfile"],
    ["vendor", "composer.json"],
    ["obj", "App.csproj"],
    ["bin", "App.fsproj"],
    ["build", "pubspec.yaml"],
    ["deps", "mix.exs"],
    ["dist-newstyle", "my.cabal"],
    ["_build", "dune-project"],
    [".build", "Package.swift"],
    ["Pods", "Podfile"],
    ["build", "build/CMakeCache.txt"],
    ["zig-out", "build.zig"],
    ["elm-stuff", "elm.json"],
  ])("%s/ with %s", ([folder, marker]) => {
    for (const top of ["", "apps/one/"]) {
      const ignored = { ".gitignore": `${folder}/\n` };
      const path = `${top}${folder}/`;
      const withMarker = { [`${top}${marker}`]: "" };
      expect(rebuildableIn(slotWith({ ...ignored, ...withMarker }))(path)).toBe(top === "" || !folder.includes("/"));
      expect(rebuildableIn(slotWith({ [`${top}.gitignore`]: `/${folder}/\n`, ...withMarker }))(path)).toBe(true);
      // Not ignored, without its marker, or with the marker elsewhere: somebody's work.
      expect(rebuildableIn(slotWith(withMarker))(path)).toBe(false);
      expect(rebuildableIn(slotWith(ignored))(path)).toBe(false);
      expect(rebuildableIn(slotWith({ ...ignored, [`elsewhere/${marker}`]: "" }))(path)).toBe(false);
      expect(rebuildableIn(slotWith({ ...ignored, ...withMarker }))(path.slice(0, -1))).toBe(false);
    }
  });

  test("a folder's name must be the whole one, and a pattern needs something before its ending", () => {
    const files = slotWith({ ".gitignore": "*\n", "composer.json": "", ".csproj": "" });
    expect(["vendors/", "my-vendor/", "obj/", "vendor/mine/"].filter(rebuildableIn(files))).toEqual([]);
  });
});

describe("what .gitignore files say of a folder", () => {
  test.for<[files: Readonly<Record<string, string>>, folder: string, expected: boolean]>([
    [{ ".gitignore": "target\n" }, "target", true],
    [{ ".gitignore": "/target/\n" }, "app/target", false],
    [{ ".gitignore": "app/\n" }, "app/target", true],
    [{ ".gitignore": "target/\n", "app/.gitignore": "!target/\n" }, "app/target", false],
    [{ ".gitignore": "target/\n", "app/.gitignore": "other/\n" }, "app/target", true],
    [{ "app/.gitignore": "/target/\n" }, "app/target", true],
    [{ "app/.gitignore": "/target/\n" }, "target", false],
    [{ ".gitignore": "*\n!*/\n" }, "target", false],
    [{}, "target", false],
  ])("%j: %s is ignored: %s", ([files, folder, expected]) => {
    expect(ignoredIn((path) => files[path])(folder)).toBe(expected);
  });
});

test("the list is shown in full", () => {
  const text = rebuildableText().join("\n");
  for (const word of [
    "node_modules/",
    "target/ beside Cargo.toml",
    "bin/, obj/ beside *.csproj or *.fsproj",
    "venv/, env/ with pyvenv.cfg in it",
  ])
    expect(text).toContain(word);
});
