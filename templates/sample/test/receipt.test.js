import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { receipt } from "../src/receipt.js";

test("a line for each item, and their total", () => {
  assert.deepEqual(receipt(readBasket(["apple:2", "bread"])), {
    lines: [
      { text: "Apple × 2", cents: 120 },
      { text: "Bread", cents: 320 },
    ],
    total: 440,
  });
});

test("an empty basket costs nothing", () => {
  assert.equal(receipt([]).total, 0);
});
