import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { installerCode } from "../../../src/checkout/index.ts";
import { type Files, tempFolder, writeFiles } from "../../fixtures/index.ts";

function codeOf(files: Files) {
  const dir = tempFolder("project");
  writeFiles(dir, files);
  return installerCode(dir);
}

test("code that installing runs is named, and changes with its text", () => {
  const dir = tempFolder("project");
  writeFiles(dir, { ".yarnrc.yml": "nodeLinker: node-modules\n", "bunfig.toml": "[install]\nexact = true\n" });
  expect(installerCode(dir)).toEqual([]);
  writeFiles(dir, {
    ".yarnrc.yml": "nodeLinker: node-modules\nplugins:\n  - path: .yarn/plugins/x.cjs\n  - path: ./tools/y.cjs\n",
    ".yarn/plugins/x.cjs": "one",
    "tools/y.cjs": "one",
    "bunfig.toml": '[install.security]\nscanner = "some-scanner"\n',
  });
  const before = installerCode(dir);
  expect(before.map(({ key }) => key)).toEqual([".yarnrc.yml", "bunfig.toml"]);
  for (const path of [".yarn/plugins/x.cjs", "tools/y.cjs"]) {
    const [old] = installerCode(dir);
    writeFiles(dir, { [path]: "two" });
    expect(installerCode(dir)[0]?.text).not.toBe(old?.text);
  }
});

test.for<[path: string, text: string]>([
  ...[
    '"plugins": [{path: x.cjs, spec: e}]',
    '{ "nodeLinker": "node-modules", plugins: [{path: x.cjs, spec: e}] }',
    '"pl\\u0075gins":\n  - path: x.cjs',
    "? plugins\n: - path: x.cjs",
    "plugins :\n  - x.cjs",
    " plugins:\n  - x.cjs",
    "nodeLinker: node-modules\rplugins: [x.cjs]",
    "nodeLinker: node-modules\u0085plugins: [x.cjs]",
    "!!map {plugins: [x.cjs]}",
    "nodeLinker: &a node-modules",
    "globalFolder: /home/me",
    "cacheFolder: ../..",
    "unsafeHttpWhitelist:\n  - x",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: yarn would send the variable to that registry
    'npmRegistryServer: "https://r.example.invalid/${TOKEN}"',
  ].map((text): [string, string] => [".yarnrc.yml", text]),
  ...['--modules-folder ".."', "--install.cwd ..", "cache-folder ../..", 'global-folder "/home/me"', "--use-yarnrc x"].map(
    (text): [string, string] => [".yarnrc", text],
  ),
  ...[
    '"sc\\u0061nner" = "x"',
    "install.security.scanner = 'x'",
    'install = { security = { scanner = "x" } }',
    'globalBinDir = "/home/me/bin"',
  ].map((text): [string, string] => ["bunfig.toml", text]),
  ...[
    "global=true",
    "global",
    "location = global",
    '"global"=true',
    "[a]\nglobal=true",
    "prefix=/home/me",
    "registry=https://r.example.invalid\rglobal=true",
    "cache=../..",
    "userconfig=./x",
    "global-bin-dir=/home/me/bin",
    "modules-dir=../..",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: npm reads variables in names of settings
    "${HOME}=true",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: npm would send the variable to that registry
    "registry=https://r.example.invalid/${AWS_SECRET_ACCESS_KEY}",
    "script-shell=./x",
    "node-options=--require ./x.js",
  ].map((text): [string, string] => [".npmrc", text]),
  ...[
    "globalDir: /home/me",
    " globalDir: /home/me",
    '"globalDir": /home/me',
    "packages: [a]\npnpmfile: x",
    "configDependencies:\n  a: 1",
    "{globalDir: x}",
  ].map((text): [string, string] => ["pnpm-workspace.yaml", text]),
])("is asked about: %s with %j", ([path, text]) => {
  expect(codeOf({ [path]: `${text}\n` })).toMatchObject([{ key: path }]);
});

test.for<[path: string, text: string]>([
  [
    ".npmrc",
    "; ours\nregistry=https://r.example.invalid/\n@me:registry = https://r\n//r/:_authToken=abc\nlegacy-peer-deps=true\r\nengine-strict = true\n# x\nsave-exact=true\ninstall-links=true\nforce=true\n",
  ],
  [".yarnrc", '# ours\nregistry "https://r.example.invalid"\nyarn-path ".yarn/releases/yarn-1.cjs"\nnetwork-timeout 60000\n'],
  [
    ".yarnrc.yml",
    '# ours\n\nnodeLinker: node-modules\nenableTelemetry: false # no\nnpmRegistryServer: "https://r"\nyarnPath: .yarn/releases/yarn-4.1.0.cjs\n',
  ],
  ["bunfig.toml", '[install]\nexact = true\nregistry = "https://r"\n[test]\ncoverage = true\n'],
  ["pnpm-workspace.yaml", "packages:\n  - 'a/*'\n- b\n\ncatalog:\n  x: ^1\nonlyBuiltDependencies: [esbuild]\noverrides:\n  y: 1\n"],
])("is not asked about: %s with plain settings", ([path, text]) => {
  expect(codeOf({ [path]: text })).toEqual([]);
});

test("a long file is shown in part, and counts whole", () => {
  const plugins = (last: string): string => `plugins:\n${"  - x\n".repeat(100)}${last}\n`;
  const [one, other] = ["  - y", "  - z"].map((last) => codeOf({ ".yarnrc.yml": plugins(last) })[0]?.text ?? "");
  expect(one?.split("\n").length).toBeLessThan(25);
  expect(one).not.toBe(other);
});

test("a settings file that leads out of the project is asked about, and is not read", () => {
  const [dir, elsewhere] = [tempFolder("project"), tempFolder("elsewhere")];
  writeFiles(elsewhere, { rc: "registry=https://secret\n" });
  symlinkSync(join(elsewhere, "rc"), join(dir, ".npmrc"));
  const [found] = installerCode(dir);
  expect(found?.key).toBe(".npmrc");
  expect(found?.text).not.toContain("secret");
});
