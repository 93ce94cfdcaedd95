import { expect, test } from "vitest";
import { orderCandidates } from "../../../src/merge/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

test("who collides with two others comes last, so that one of three is left out instead of two", async () => {
  const { repo, context, candidate } = await bench({
    both: { "a.txt": "X\n2\nX\n", "b.txt": "X\n" },
    left: { "a.txt": "L\n2\n3\n" },
    right: { "b.txt": "R\n", "c.txt": "c\n" },
  });
  const base = repo.git("rev-parse", "main");
  const { order } = await orderCandidates(context, base, [candidate("both"), candidate("right"), candidate("left")]);
  expect(order.map(({ task }) => task)).toEqual(["left", "right", "both"]);
  expect((await mergeCandidates(context, order)).landed).toEqual(["left", "right"]);
});

test("a prediction that fails is said, and the plan's order stays", async () => {
  const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" }, y: { "y.txt": "y\n" } });
  const said: string[] = [];
  const gone = { ...candidate("x", ["y"]), commit: "0123456789012345678901234567890123456789" };
  const { order, prediction } = await orderCandidates({ ...context, narrate: (line) => said.push(line) }, repo.git("rev-parse", "main"), [
    gone,
    candidate("y"),
  ]);
  expect(prediction).toBeNull();
  expect(order.map(({ task }) => task)).toEqual(["y", "x"]);
  expect(said.join()).toContain("could not be predicted");
});
