/** A process, told apart from a later one with the same number. */
export type ProcessIdentity = {
  pid: number;
  /** Clock ticks since boot (Linux) or the start time as `ps` prints it (macOS). */
  startTime: string;
  bootId: string;
  host: string;
};

/** Who a lease belongs to. A `process` owner ends with its process; a `shell` owner with release or expiry. */
export type LeaseOwner = { kind: "process"; name: string; process: ProcessIdentity } | { kind: "shell"; name: string };

export const SLOT_STATUSES = ["idle", "preparing", "busy", "releasing", "broken", "quarantined"] as const;
export type SlotStatus = (typeof SLOT_STATUSES)[number];

/** One task's right to use one slot. */
export type Lease = {
  task: string;
  run: string;
  /** Short branch name, `auto/<task>`. */
  branch: string;
  /** Commit id at which the branch began. */
  base: string;
  /** Rises with each lease of the pool; a holder whose token is not the slot's has lost it. */
  token: number;
  owner: LeaseOwner;
  /** ISO 8601. */
  acquiredAt: string;
  /** ISO 8601, for people to read; null: lives as long as its process. What decides is `renewed` and `ttlMs`. */
  expiresAt: string | null;
  /** How long a lease of a shell lives after it was last renewed; null: as long as its process. */
  ttlMs: number | null;
  /** When it was last renewed, by a clock that no setting of the time moves (milliseconds since that boot). */
  renewed: { bootId: string; ms: number };
  /** The first port of the block that is this lease's; null: none. */
  portBase: number | null;
};

/** What a caller gets from acquire. */
export type LeasedSlot = { id: string; path: string; lease: Lease };
