import { expect, test } from "vitest";
import { sealed } from "../../../src/checkout/installer-settings.ts";

test.for<[command: string, added: string[]]>([
  ["npm ci --ignore-scripts", ["--global=false", "--location=project", "--force=false"]],
  ["npm rebuild a", ["--global=false", "--location=project"]],
  // Its hooks would run, and its folders could be elsewhere.
  [
    "pnpm rebuild a",
    ["--config.ignore-pnpmfile=true", "--config.modules-dir=node_modules", "--config.virtual-store-dir=node_modules/.pnpm"],
  ],
  ["yarn install --frozen-lockfile --ignore-scripts", ["--modules-folder=node_modules"]],
])("%s stays in its folder", ([command, added]) => {
  const [program = "", ...words] = command.split(" ");
  const full = sealed([program, ...words]);
  expect(full.join(" ").startsWith(command)).toBe(true);
  expect(full).toEqual(expect.arrayContaining(added));
});

test("yarn from version 2 on gets no option that it does not know", () => {
  expect(sealed(["yarn", "install", "--immutable", "--mode=skip-build"])).toEqual(["yarn", "install", "--immutable", "--mode=skip-build"]);
});
