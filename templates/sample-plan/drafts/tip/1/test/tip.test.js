import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { receipt } from "../src/receipt.js";

test("a tip is counted on the whole", () => {
  assert.deepEqual(receipt(readBasket(["bread"]), { tip: 10 }).lines.at(-1), { text: "Tip 10 %", cents: 32 });
});

test("without a tip there is no line for it", () => {
  assert.equal(receipt(readBasket(["bread"])).lines.length, 1);
});
