import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { receipt } from "../src/receipt.js";

test("cash is rounded to the smallest coin", () => {
  assert.deepEqual(receipt(readBasket(["jam"]), { cash: true }).lines.at(-1), { text: "Rounding", cents: 2 });
});

test("whatever else is on the receipt, coins can pay it", () => {
  assert.equal(receipt(readBasket(["jam"]), { cash: true, delivery: true, tip: 10 }).total % 5, 0);
});
