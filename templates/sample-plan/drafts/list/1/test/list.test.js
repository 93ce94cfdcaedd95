import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../src/commands/list.js";

test("each item with its price, one a line", () => {
  assert.equal(run(), "apple   0.60\nbread   3.20\ncheese  7.45\ncoffee  8.99\njam     3.88");
});
