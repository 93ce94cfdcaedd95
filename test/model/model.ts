import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SlotStatus } from "../../src/domain/index.ts";
import { blobId, type World } from "./world.ts";

export type Leased = { task: string; owner: string; token: number; branch: string };
export type ModelSlot = { status: SlotStatus; lease: Leased | null };

/** Bytes that an agent wrote and nobody else has: `staged` ones are no file of the slot, only its index or a commit has them. */
export type Work = { text: string; path: string; slot: string; staged: boolean };

/** What must be true of the pool, as far as its promises say: who has which slot, and all work there ever was. */
export class Model {
  /** Undefined: there is no pool. */
  slots: Map<string, ModelSlot> | undefined = undefined;
  /** Slots that a user or an agent damaged in a way that a verb may answer by giving them up. */
  readonly damaged = new Set<string>();
  readonly work = new Map<string, Work>();
  /** Commit id to the token of the lease under which it was made. */
  readonly commits = new Map<string, number>();
  nextToken = 1;
  private written = 0;
  private readonly checkout: string;

  constructor(world: World) {
    this.checkout = world.checkout();
  }

  /** A text that was never written before. */
  newText(): string {
    this.written += 1;
    return `work ${this.written}\n`;
  }

  newName(): string {
    return `work-${this.written + 1}`;
  }

  remember(work: Work): void {
    this.work.set(`${work.slot} ${work.path} ${work.staged}`, work);
  }

  busy(): [string, Leased][] {
    return [...(this.slots ?? [])].flatMap(([id, { lease, status }]) => (lease !== null && status === "busy" ? [[id, lease]] : []));
  }

  idle(): string[] {
    return [...(this.slots ?? [])].filter(([, slot]) => slot.status === "idle").map(([id]) => id);
  }

  leaseOf(task: string): [string, ModelSlot] | undefined {
    return [...(this.slots ?? [])].find(([, { lease }]) => lease?.task === task);
  }

  /**
   * Takes over what the state says now. Slots that are not in `changed` must be as they were; those that are were
   * looked at by the command itself.
   */
  sync(world: World, changed: ReadonlySet<string> | "all"): void {
    const now = world.state();
    const before = this.slots;
    if (now === undefined) {
      this.slots = undefined;
      this.damaged.clear();
    } else {
      const { slots, nextToken } = now.state;
      this.slots = new Map(
        slots.map(({ id, status, lease }) => [
          id,
          {
            status,
            lease: lease === null ? null : { task: lease.task, owner: lease.owner.name, token: lease.token, branch: lease.branch },
          },
        ]),
      );
      if (nextToken < this.nextToken) throw new Error(`the next token was ${this.nextToken} and is ${nextToken}`);
      this.nextToken = nextToken;
    }
    if (changed === "all") return;
    for (const id of new Set([...(before?.keys() ?? []), ...(this.slots?.keys() ?? [])])) {
      if (changed.has(id)) continue;
      const [was, is] = [JSON.stringify(before?.get(id)), JSON.stringify(this.slots?.get(id))];
      if (was !== is) throw new Error(`${id} was ${was} and is ${is}, which this command has no business with`);
    }
  }

  /** What must hold after every command. Throws with everything that does not. */
  async check(world: World): Promise<void> {
    const wrong = [...this.wrongLeases(world), ...this.lostCommits(world), ...(await this.lostWork(world))];
    const checkout = world.checkout();
    if (checkout !== this.checkout) wrong.push(`the user's checkout was\n${this.checkout}\nand is\n${checkout}`);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
  }

  /** P7: one lease a slot is the shape of the state; one slot a task is not. */
  private wrongLeases(world: World): string[] {
    const found: string[] = [];
    const tasks = new Map<string, string>();
    const tokens = new Set<number>();
    for (const { id, status, lease } of world.state()?.state.slots ?? []) {
      if (status === "busy" && lease === null) found.push(`${id} is busy and nobody has it`);
      if (status === "idle" && lease !== null) found.push(`${id} is idle and ${lease.task} has it`);
      if (lease === null) continue;
      const other = tasks.get(lease.task.toLowerCase());
      if (other !== undefined) found.push(`${lease.task} has both ${other} and ${id}`);
      if (tokens.has(lease.token)) found.push(`two leases have token ${lease.token}`);
      tasks.set(lease.task.toLowerCase(), id);
      tokens.add(lease.token);
    }
    return found;
  }

  /** P6: while a lease lives its HEAD and its log may be what names a commit; afterwards a ref must. */
  private lostCommits(world: World): string[] {
    if (this.commits.size === 0) return [];
    const [live, held] = [world.commits(true), world.commits(false)];
    const tokens = new Set([...(this.slots?.values() ?? [])].map(({ lease }) => lease?.token));
    return [...this.commits].flatMap(([commit, token]) =>
      held.has(commit) || (tokens.has(token) && live.has(commit)) ? [] : [`commit ${commit} of lease ${token} is held by nothing`],
    );
  }

  /** P5: in its slot, in a branch, or in what a rescue gives back. */
  private async lostWork(world: World): Promise<string[]> {
    const missing = [...this.work.values()].filter((work) => !isInSlot(world, work));
    if (missing.length === 0) return [];
    const [inBranches, anywhere, texts] = [world.blobs(false), world.blobs(true), await world.savedTexts()];
    return missing
      .filter(({ text, staged }) => !inBranches.has(blobId(text)) && !(staged ? anywhere.has(blobId(text)) : texts.has(text)))
      .map(
        ({ text, path, slot, staged }) =>
          `${JSON.stringify(text)}, written to ${path} in ${slot}${staged ? " and staged" : ""}, is nowhere`,
      );
  }
}

export function isInSlot(world: World, { slot, path, text, staged }: Work): boolean {
  const file = join(world.slotPath(slot), path);
  return !staged && existsSync(file) && readFileSync(file, "utf8") === text;
}
