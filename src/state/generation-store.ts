import { randomUUID } from "node:crypto";
import { closeSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { writeNewFile } from "./atomic-file.ts";
import { fsyncSync, mkdirSync, mkdtempSync, openSync, removeFile, renameSync, rmSync } from "./disk.ts";
import { damaged, decode, encode, fileName, newer, readOrMissing, recordNumber, removeRecord, tryLink } from "./generation-record.ts";
import { isCrowded, waitInRoom } from "./waiting-room.ts";

/** Record n may be removed only when a record ≥ n + KEEP exists. A constant of the format. */
const KEEP = 64;

export type StoreOptions<State> = {
  /** Folder of the store; made, with its first record in it, when it is not there. */
  dir: string;
  /** Version of the state's shape. A newer one on disk is refused, an older one is handed to `migrate`. */
  schema: number;
  initial: State;
  /** Checks what was read; throws where it is not a state. */
  parse: (value: unknown) => State;
  migrate?: (value: unknown, fromSchema: number) => unknown;
  /** Did this operation already happen in this state? Answers the outcome of a commit that nobody could see. */
  applied?: (state: State, operation: string) => boolean;
  /** `file`: flushed before it shows; `folder`: its folder as well; `none`: for what only lives while processes do. */
  durability?: "none" | "file" | "folder";
  /** Off in the test that proves that correctness does not depend on it. */
  waitingRoom?: boolean;
  /** Smaller in tests, to meet the removal rule often. */
  keep?: number;
  /** Called between reading and linking, in tests. */
  beforeLink?: () => void;
};

export type StoreRecord<State> = { generation: number; state: State };
export type StoreCommit<State> = StoreRecord<State> & { changed: boolean };

export type GenerationStore<State> = {
  /** The newest state. Throws STATE_DAMAGED, STATE_NEWER. */
  read(): StoreRecord<State>;
  /**
   * Makes `change(state)` the newest state, or nothing where it returns undefined. `change` runs again whenever
   * another writer was faster, so it only looks at its argument. `operation` names this change for ever.
   */
  commit(operation: string, change: (state: State) => State | undefined): Promise<StoreCommit<State>>;
  /** Puts a damaged newest record aside and returns its path; undefined where the newest record is sound. */
  setAsideDamaged(): string | undefined;
};

/** True where a store was ever made in `dir`. */
export function storeExists(dir: string): boolean {
  try {
    return statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

/** Removes a store as one step: whoever looks finds all of it or nothing. */
export function removeStore(dir: string): void {
  const gone = mkdtempSync(`${dir}.gone.`);
  renameSync(dir, join(gone, "store"));
  rmSync(gone, { recursive: true, force: true });
}

/**
 * A log of whole states, made visible by an exclusive `link`: the number is the fencing token. Whoever read an
 * old generation loses the link and starts again, so a stalled or robbed holder cannot write.
 */
export function openStore<State>(options: StoreOptions<State>): GenerationStore<State> {
  const { dir, schema } = options;
  const keep = options.keep ?? KEEP;
  const durability = options.durability ?? "file";
  if (!storeExists(dir)) create(options);

  const fileOf = (n: number): string => join(dir, fileName(n));
  const highest = (): number => Math.max(0, ...readdirSync(dir).map((name) => recordNumber(name) ?? 0));
  const newest = (): number => {
    const max = highest();
    if (max > 0) return max;
    throw damaged(dir, "it holds no record at all");
  };
  // The proof rule: whoever sees afterwards no record ≥ n + keep knows that n was never removed, hence that the
  // n it read is the one and only n. No hint, no probing, no number from memory.
  let last: { text: string; record: StoreRecord<State> & { nonce: string } } | undefined;
  const read = (): StoreRecord<State> & { nonce: string } => {
    for (;;) {
      const n = newest();
      const text = readOrMissing(fileOf(n));
      if (text === undefined || newest() >= n + keep) continue;
      // The same bytes as the last time say the same.
      if (last?.text === text) return last.record;
      const record = decode(text, n, dir);
      if (record.schema > schema) throw newer(dir, record.schema, schema);
      const value = record.schema < schema && options.migrate !== undefined ? options.migrate(record.state, record.schema) : record.state;
      last = { text, record: { generation: n, nonce: record.nonce, state: parsed(value, n) } };
      return last.record;
    }
  };
  const parsed = (value: unknown, n: number): State => {
    try {
      return options.parse(value);
    } catch (error) {
      throw damaged(dir, `record ${n} is no state: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const removeOld = (head: number): void => {
    for (const name of readdirSync(dir)) {
      const n = recordNumber(name) ?? Number.POSITIVE_INFINITY;
      // A live writer whose temporary file goes fails its link with ENOENT and starts again: no need to ask whose.
      if (n <= head - keep || (name.startsWith("tmp.") && olderThanAMinute(join(dir, name)))) removeRecord(join(dir, name));
    }
  };

  const attempt = (operation: string, change: (state: State) => State | undefined): StoreCommit<State> | "lost" => {
    const head = read();
    if (options.applied?.(head.state, operation) === true) return { generation: head.generation, state: head.state, changed: true };
    const state = change(head.state);
    if (state === undefined) return { generation: head.generation, state: head.state, changed: false };
    const generation = head.generation + 1;
    const temporary = join(dir, `tmp.${process.pid}.${randomUUID()}`);
    const nonce = randomUUID();
    const text = encode({ schema, generation, previous: head.nonce, nonce, operation, state });
    writeNewFile(temporary, text, durability !== "none");
    options.beforeLink?.();
    const won = tryLink(temporary, fileOf(generation));
    removeFile(temporary);
    if (!won) return "lost";
    // Something we relied on may have been removed and made again while we slept: the state itself must answer.
    if (newest() >= head.generation + keep) return "lost";
    if (durability === "folder") flushFolder(dir);
    if (generation % 16 === 0) removeOld(generation);
    last = { text, record: { generation, nonce, state } };
    return { generation, state, changed: true };
  };

  return {
    read: () => {
      const { generation, state } = read();
      return { generation, state };
    },
    async commit(operation, change) {
      // Where others stand in line already, a try past them costs a flush and is lost to them as a rule.
      const first = isCrowded(dir) ? "lost" : attempt(operation, change);
      if (first !== "lost") return first;
      return waitInRoom(dir, options.waitingRoom ?? true, () => {
        const result = attempt(operation, change);
        return result === "lost" ? undefined : result;
      });
    },
    setAsideDamaged() {
      try {
        read();
        return undefined;
      } catch (error) {
        if (!(error instanceof GraftworkError) || error.code !== "STATE_DAMAGED") throw error;
      }
      const n = highest();
      // Without any record there is nothing to go back to: the store is begun anew by whoever opens it next.
      const [from, aside] = n === 0 ? [dir, `${dir}.damaged.${randomUUID()}`] : [fileOf(n), join(dir, `damaged.${fileName(n)}`)];
      try {
        renameSync(from, aside);
      } catch (error) {
        // Another process was faster.
        if (systemCode(error) !== "ENOENT") throw error;
      }
      return aside;
    },
  };
}

/** Born by the rename of a folder that already holds record 1: an empty store has no base that could be proved. */
function create<State>(options: StoreOptions<State>): void {
  mkdirSync(dirname(options.dir), { recursive: true, mode: 0o700 });
  const prepared = mkdtempSync(`${options.dir}.new.`);
  const record = { schema: options.schema, generation: 1, previous: "", nonce: randomUUID(), operation: "create", state: options.initial };
  writeNewFile(join(prepared, fileName(1)), encode(record), true);
  try {
    renameSync(prepared, options.dir);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (systemCode(error) !== "ENOTEMPTY" && systemCode(error) !== "EEXIST") throw error;
  }
}

function olderThanAMinute(path: string): boolean {
  try {
    return statSync(path).mtimeMs < Date.now() - 60_000;
  } catch {
    return false;
  }
}

function flushFolder(dir: string): void {
  const file = openSync(dir, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
