import assert from "node:assert/strict";
import { test } from "node:test";
import { readBasket } from "../src/basket.js";
import { suggest } from "../src/suggest.js";

test("a slip of the finger is understood", () => {
  assert.throws(() => readBasket(["appel"]), /we do not sell appel, did you mean apple\?/);
});

test("nothing is suggested for what is far from everything", () => {
  assert.equal(suggest("tractor", ["apple", "bread"]), undefined);
});
