import { expect, test } from "vitest";
import { installerCode } from "../../../src/checkout/index.ts";
import { tempFolder, writeFiles } from "../../fixtures/index.ts";

test("code that installing runs is named, and changes with its text", () => {
  const dir = tempFolder("project");
  writeFiles(dir, { ".yarnrc.yml": "nodeLinker: node-modules\n", "bunfig.toml": "[install]\nexact = true\n" });
  expect(installerCode(dir)).toEqual([]);
  writeFiles(dir, {
    ".yarnrc.yml": "nodeLinker: node-modules\nplugins:\n  - path: .yarn/plugins/x.cjs\n",
    ".yarn/plugins/x.cjs": "one",
    "bunfig.toml": '[install.security]\nscanner = "some-scanner"\n',
  });
  const before = installerCode(dir);
  expect(before.map(({ key }) => key)).toEqual([".yarnrc.yml", "bunfig.toml"]);
  writeFiles(dir, { ".yarn/plugins/x.cjs": "two" });
  expect(installerCode(dir)[0]?.text).not.toBe(before[0]?.text);
});
