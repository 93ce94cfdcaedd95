import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { receipt } from "../src/receipt.js";

test("delivery has its price", () => {
  assert.equal(receipt(readBasket(["bread"]), { delivery: true }).total, 320 + 490);
});

test("a large basket is brought for nothing", () => {
  assert.equal(receipt(readBasket(["bread:10"]), { delivery: true }).total, 3200);
});
