import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../src/commands/buy.js";

test("--json gives lines and total in cents", () => {
  assert.deepEqual(JSON.parse(run(["bread"], { json: true })), { lines: [{ text: "Bread", cents: 320 }], total: 320 });
});
