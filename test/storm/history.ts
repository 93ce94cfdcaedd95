import { linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SlotRecord } from "../../src/pool/index.ts";
import type { StormLine } from "./log.ts";

type Slot = Pick<SlotRecord, "id" | "status"> & { lease: { token: number } | null };

/** What of a record of the pool's store tells who has what. */
export type StoredRecord = { generation: number; operation: string; state: { nextToken: number; slots: readonly Slot[] } };

/** Keeps every record of the pool's store, also those that the store itself removes after a while. */
export class Archive {
  private readonly store: string;
  private readonly folder: string;
  private readonly kept = new Set<string>();

  constructor(store: string, folder: string) {
    this.store = store;
    this.folder = folder;
    mkdirSync(folder);
  }

  /** Another name for each new record: to be called more often than the store goes 64 records on. */
  collect(): void {
    for (const name of readdirSync(this.store)) {
      if (!/^\d+\.json$/.test(name) || this.kept.has(name)) continue;
      this.kept.add(name);
      linkSync(join(this.store, name), join(this.folder, name));
    }
  }

  records(): StoredRecord[] {
    const texts = readdirSync(this.folder).map((name) => readFileSync(join(this.folder, name), "utf8"));
    const records = texts.map((text) => JSON.parse(text.slice(text.indexOf("\n") + 1)) as StoredRecord);
    return records.sort((a, b) => a.generation - b.generation);
  }
}

/** What the truth went through, against what the workers were told: every record, none missing. */
export function judgeHistory(records: readonly StoredRecord[], lines: readonly StormLine[]): string[] {
  const found = new Set<string>();
  const busy = new Set<string>();
  const newest = new Map<string, number>();
  for (const [n, record] of records.entries()) {
    const before = records[n - 1];
    const said = `record ${record.generation} (${record.operation})`;
    if (before !== undefined && record.generation > before.generation + 1) found.add(`${said}: those before it are missing`);
    if (before !== undefined && record.state.nextToken < before.state.nextToken) found.add(`${said} takes tokens back`);
    for (const slot of record.state.slots) {
      const was = before?.state.slots.find(({ id }) => id === slot.id);
      if (was !== undefined && isTorn(was, slot, record.operation))
        found.add(`${said}: ${slot.id} loses lease ${was.lease?.token} without a release`);
      if (slot.lease === null && slot.status === "busy" && was?.status !== "busy")
        found.add(`${said}: ${slot.id} is busy and nobody has it`);
      if (slot.lease === null) continue;
      const { token } = slot.lease;
      if (slot.status === "busy") busy.add(`${slot.id} ${token}`);
      if (token < (newest.get(slot.id) ?? 0)) found.add(`${said}: ${slot.id} has token ${token} again`);
      newest.set(slot.id, Math.max(token, newest.get(slot.id) ?? 0));
    }
  }
  const last = new Set(records.at(-1)?.state.slots.map(({ id, lease }) => `${id} ${lease?.token}`));
  for (const { what, slot, token } of lines) {
    const key = `${slot} ${token}`;
    if (what === "acquired" && !busy.has(key)) found.add(`the acquire of ${key} was acknowledged and is in no record`);
    if ((what === "released" || what === "robbed") && last.has(key))
      found.add(`the release of ${key} was acknowledged and is not in the last record`);
  }
  return [...found];
}

/** A lease that is held or being prepared ends by a mark, or goes to its successor; nothing else takes it away. */
function isTorn(was: Slot, now: Slot, operation: string): boolean {
  const held = was.lease !== null && (was.status === "busy" || was.status === "preparing");
  return held && now.lease?.token !== was.lease?.token && !operation.startsWith("adopt");
}
