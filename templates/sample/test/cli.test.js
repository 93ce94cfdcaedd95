import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../src/cli.js", import.meta.url));
const kiosk = (...words) => spawnSync(process.execPath, [cli, ...words], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });

test("buy prints the receipt", () => {
  assert.equal(kiosk("buy", "bread").stdout, "Bread    3.20\nTotal    3.20\n");
});

test("a command that is not there is refused", () => {
  assert.equal(kiosk("steal").status, 2);
});
