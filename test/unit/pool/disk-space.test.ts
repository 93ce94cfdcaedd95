import { expect, test } from "vitest";
import { humanSize } from "../../../src/domain/index.ts";
import { bytesNeeded } from "../../../src/pool/disk-space.ts";
import type { SlotRecord } from "../../../src/pool/pool-state.ts";

const GIB = 2 ** 30;
const slots = (...sizes: (number | undefined)[]) => ({ slots: sizes.map((sizeBytes) => ({ sizeBytes }) as SlotRecord) });

test.for<[state: ReturnType<typeof slots>, made: number, needed: number]>([
  [slots(), 0, GIB],
  [slots(), 8, GIB],
  [slots(undefined, 1000), 1, GIB],
  [slots(GIB, 2 * GIB), 0, 4 * GIB],
  [slots(GIB, 2 * GIB), 1, 4 * GIB],
  [slots(GIB, 2 * GIB), 3, 8 * GIB],
])("of %j and for %d new slots", ([state, made, needed]) => {
  expect(bytesNeeded(state, made)).toBe(needed);
});

test.for<[bytes: number, text: string]>([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [20 * 2 ** 20, "20 MiB"],
  [GIB, "1 GiB"],
  [4.26 * GIB, "4.3 GiB"],
])("%d bytes are %s", ([bytes, text]) => {
  expect(humanSize(bytes)).toBe(text);
});
