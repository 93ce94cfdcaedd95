import { openStore } from "../../../src/state/index.ts";

/** A process that adds to a counter so many times: `writer DIR NAME TIMES`. */
const [dir = "", name = "", times = "0"] = process.argv.slice(2);
const store = openStore<{ count: number; ops: string[] }>({
  dir,
  schema: 1,
  initial: { count: 0, ops: [] },
  parse: (value) => value as { count: number; ops: string[] },
  applied: (state, operation) => state.ops.includes(operation),
});
for (let n = 0; n < Number(times); n++)
  await store.commit(`${name}${n}`, (state) => ({ count: state.count + 1, ops: [...state.ops, `${name}${n}`] }));
