import assert from "node:assert/strict";
import { test } from "node:test";
import pc from "picocolors";
import { print } from "../src/print.js";

test("money stands in one column, the total last", () => {
  const text = print(
    {
      lines: [
        { text: "Jam", cents: 388 },
        { text: "小麦", cents: 1000 },
      ],
      total: 1388,
    },
    pc.createColors(false),
  );
  assert.equal(text, "Jam       3.88\n小麦     10.00\nTotal    13.88");
});
