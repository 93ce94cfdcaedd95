import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { receipt } from "../src/receipt.js";

test("of three apples, two are paid", () => {
  assert.deepEqual(receipt(readBasket(["apple:3"])), {
    lines: [
      { text: "Apple × 3", cents: 180 },
      { text: "  3 for 2", cents: -60 },
    ],
    total: 120,
  });
});

test("each full three counts, what is over does not", () => {
  assert.equal(receipt(readBasket(["apple:7"])).total, 5 * 60);
});

test("what has no offer costs what it costs", () => {
  assert.equal(receipt(readBasket(["bread:3"])).total, 960);
});
