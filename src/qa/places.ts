import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ProcessIdentity } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { type GenerationStore, openStore } from "../state/index.ts";
import { identityOf, isRunning, livenessOf } from "../subprocess/index.ts";

/** One verification's claim on the machine: `shared` beside others, or `alone`. Claims are in the order of arrival. */
export type Claim = { id: string; process: ProcessIdentity; kind: "shared" | "alone"; held: boolean };

/** `given` counts every place that was ever given, so that two looks tell whether a verification began in between. */
export type Places = { claims: readonly Claim[]; given: number };

/** What a verification sees of the others at one moment. */
export type Look = { others: number; given: number };

/** The place of one verification of this repository. */
export type Place = {
  look(): Look;
  /** Gives up this place, waits until no other verification runs, and keeps new ones waiting. Does nothing if alone. */
  alone(onWait: () => void): Promise<void>;
  /** Lets other verifications run again. */
  share(): Promise<void>;
  leave(): Promise<void>;
};

const LOOK_AGAIN_MS = 100;

/**
 * Decides whether a claim may have its place. A shared one waits for every `alone` before it, so that whoever waits to
 * be alone does not wait for ever. `alone` waits for everyone before it and for all who hold a place.
 */
export function mayGo(claims: readonly Claim[], id: string): boolean {
  const index = claims.findIndex((one) => one.id === id);
  const mine = claims[index];
  if (mine === undefined) return false;
  const others = claims.filter((one) => one.id !== id);
  if (mine.kind === "alone") return index === 0 && !others.some((one) => one.held);
  return !others.some((one, at) => one.kind === "alone" && (one.held || at < index));
}

/** Returns true if another verification ran at any time between the two looks. */
export function overlapped(before: Look, after: Look): boolean {
  return before.others > 0 || after.others > 0 || before.given !== after.given;
}

/**
 * Takes a place beside the other verifications of this repository, in this and other processes. Waits while one of
 * them is alone or waits to be. `stop` is called between looks and throws to end the waiting.
 */
export async function takePlace(repository: Repository, stop: () => void): Promise<Place> {
  const store = openPlaces(repository.layout.verifyingStore);
  const mine: Pick<Claim, "id" | "process"> = { id: randomUUID(), process: identityOf(process.pid) };
  let changes = 0;
  let isAlone = false;
  const commit = (change: (state: Places) => Places | undefined): Promise<{ state: Places }> =>
    store.commit(`verify ${mine.id} ${++changes}`, change);
  const without = ({ claims }: Places): Claim[] => claims.filter((one) => one.id !== mine.id && livenessOf(one.process) !== "dead");

  const claim = async (kind: Claim["kind"], onWait: () => void): Promise<void> => {
    const asked: Claim = { ...mine, kind, held: false };
    const first = await commit((state) => given({ ...state, claims: [...without(state), asked] }, mine.id));
    if (isHeld(first.state, mine.id)) return;
    onWait();
    for (;;) {
      stop();
      const { state } = await commit((now) => (canGo(now.claims, mine.id) ? given(now, mine.id) : undefined));
      if (isHeld(state, mine.id)) return;
      await delay(LOOK_AGAIN_MS);
    }
  };
  const leave = async (): Promise<void> => {
    await commit((state) => ({ ...state, claims: without(state) })).catch(() => undefined);
  };
  try {
    await claim("shared", () => undefined);
  } catch (error) {
    await leave();
    throw error;
  }
  return {
    look() {
      const { state } = store.read();
      return { others: without(state).filter((one) => one.held && counts(one)).length, given: state.given };
    },
    async alone(onWait) {
      if (!isAlone) await claim("alone", onWait);
      isAlone = true;
    },
    async share() {
      if (!isAlone) return;
      isAlone = false;
      await commit((state) => ({
        ...state,
        claims: state.claims.map((one) => (one.id === mine.id ? { ...one, kind: "shared" } : one)),
      }));
    },
    leave,
  };
}

function isHeld({ claims }: Places, id: string): boolean {
  return claims.some((one) => one.id === id && one.held);
}

function canGo(claims: readonly Claim[], id: string): boolean {
  return mayGo(
    claims.filter((one) => one.id === id || counts(one)),
    id,
  );
}

/** A process that is stopped or on another machine disturbs nobody here, and would hold the others up. */
function counts({ process: one }: Claim): boolean {
  return one.pid === process.pid ? livenessOf(one) === "alive" : isRunning(one);
}

function given(state: Places, id: string): Places {
  if (!canGo(state.claims, id)) return state;
  return { claims: state.claims.map((one) => (one.id === id ? { ...one, held: true } : one)), given: state.given + 1 };
}

/** Its records are not flushed, so a power cut may damage one. Whoever held a place then is gone. */
function openPlaces(dir: string): GenerationStore<Places> {
  const initial: Places = { claims: [], given: 0 };
  const store = openStore<Places>({ dir, schema: 1, initial, parse: (value) => value as Places, durability: "none" });
  return store.setAsideDamaged() === undefined ? store : openPlaces(dir);
}
