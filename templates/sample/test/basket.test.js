import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";

test("an item stands for one piece, or for as many as it says", () => {
  assert.deepEqual(readBasket(["apple:3", "bread"]), [
    { item: "apple", count: 3 },
    { item: "bread", count: 1 },
  ]);
});

test("what is not sold is refused", () => {
  assert.throws(() => readBasket(["tractor"]), /we do not sell tractor/);
});

test("a count is a whole number", () => {
  assert.throws(() => readBasket(["apple:0"]), /0 is not a number of pieces/);
});
