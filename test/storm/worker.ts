// A process of the storm: acquires, holds, releases, robs and heals until told to stop. Bundled and started by storm.ts.
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Config, GraftworkError, type LeasedSlot } from "../../src/domain/index.ts";
import { openRepository } from "../../src/git/index.ts";
import { acquireSlot, existingStore, type PoolContext, poolHealth, processOwner, releaseSlot } from "../../src/pool/index.ts";
import { type StormLine, writeLine } from "./log.ts";
import { randomOf } from "./random.ts";

export type WorkerOrder = {
  repo: string;
  /** A place in the storm; whoever is started in a killed worker's place has the same one, and may adopt its leases. */
  seat: string;
  seed: number;
  log: string;
  /** Gets a byte for each acknowledged operation. */
  acks: string;
  /** The worker ends when this file is there. */
  stop: string;
  tasks: readonly string[];
  settings: Config["pool"];
};

/** What a caller of the pool has to expect while many others use it. */
const EXPECTED = new Set(["POOL_EXHAUSTED", "LEASE_HELD", "BRANCH_IN_USE"]);
const HOLDER = "holder-";

async function work(order: WorkerOrder): Promise<void> {
  const random = randomOf(order.seed);
  const repository = await openRepository(order.repo, { parentEnv: process.env });
  const context: PoolContext = {
    repository,
    settings: order.settings,
    owner: processOwner(order.seat),
    run: "storm",
    now: () => new Date(),
    narrate: () => undefined,
  };
  const note = (line: Omit<StormLine, "at" | "pid">): void => writeLine(order.log, line);
  const acknowledge = (line: Omit<StormLine, "at" | "pid">): void => {
    note(line);
    appendFileSync(order.acks, ".");
  };
  const slots = () => existingStore(repository).read().state.slots;
  const isMine = ({ id, lease }: LeasedSlot): boolean =>
    slots().some((slot) => slot.id === id && slot.status === "busy" && slot.lease?.token === lease.token);

  /** Undefined where it was refused; what no caller should meet is logged, and judged later. */
  async function asked<Answer>(why: Omit<StormLine, "at" | "pid">, call: () => Promise<Answer>): Promise<Answer | undefined> {
    note(why);
    try {
      return await call();
    } catch (error) {
      const code = error instanceof GraftworkError ? error.code : "";
      // A robbed worker may still write while the slot is being cleared: that is said, and the slot not cleared.
      const expected = EXPECTED.has(code) || (why.what !== "acquire" && code === "RESCUE_FAILED");
      const said = error instanceof GraftworkError ? `${code}: ${error.message} ${error.because}` : String(error);
      note({ ...why, what: expected ? "refused" : "failed", text: expected ? code : said });
      return undefined;
    }
  }

  async function lease(): Promise<void> {
    const taken = new Set(slots().map((slot) => slot.lease?.task));
    const pick = (): string => order.tasks[Math.floor(random() * order.tasks.length)] ?? order.seat;
    // Mostly a task that is free; sometimes one that another worker has, or has just taken.
    const task = [pick(), pick()].find((one) => !taken.has(one)) ?? pick();
    const leased = await asked({ what: "acquire", task }, () => acquireSlot(context, { task }));
    if (leased === undefined) return;
    const held = { slot: leased.id, token: leased.lease.token, task };
    acknowledge({ what: "acquired", ...held });
    if (!(await hold(leased, held))) {
      const late = await asked({ what: "refused", ...held, text: "late" }, () =>
        releaseSlot(context, { name: leased.id, token: held.token }),
      );
      if (late !== undefined && !late.wasIdle) note({ what: "stale-release", ...held });
      return;
    }
    const released = await asked({ what: "release", ...held }, () => releaseSlot(context, { name: leased.id, token: held.token }));
    if (released !== undefined) acknowledge({ what: "released", ...held });
  }

  /** Leaves a file in the slot, looks around, takes it away again. False where the lease was lost meanwhile. */
  async function hold(leased: LeasedSlot, held: { slot: string; token: number; task: string }): Promise<boolean> {
    const mine = join(leased.path, `${HOLDER}${held.token}`);
    if (!isMine(leased)) return lost(held);
    writeFileSync(mine, `${held.token} ${process.pid}\n`);
    note({ what: "wrote", ...held });
    lookAround(leased.path, held);
    // Work takes its time: some are killed, stopped and robbed in the middle of it.
    if (random() < 0.4) await delay(random() * 400);
    const whole = existsSync(mine) && readFileSync(mine, "utf8") === `${held.token} ${process.pid}\n`;
    if (!isMine(leased)) return lost(held);
    if (!whole) note({ what: "trampled", ...held });
    lookAround(leased.path, held);
    note({ what: "leaving", ...held });
    rmSync(mine, { force: true });
    return true;
  }

  function lost(held: { slot: string; token: number }): boolean {
    note({ what: "fenced", ...held });
    return false;
  }

  function lookAround(path: string, held: { slot: string; token: number }): void {
    for (const name of readdirSync(path)) {
      if (!name.startsWith(HOLDER) || name === `${HOLDER}${held.token}`) continue;
      note({ what: "stranger", ...held, text: name.slice(HOLDER.length) });
      // A predecessor's, whose lease was adopted: said once. A later holder's is left alone, we may be the fenced one.
      if (Number(name.slice(HOLDER.length)) < held.token) rmSync(join(path, name), { force: true });
    }
  }

  /** Ends the oldest lease by its token, as a coordinator does that gave up on a stalled holder. */
  async function rob(): Promise<void> {
    const leases = slots().flatMap((slot) => (slot.status === "busy" && slot.lease !== null ? [{ slot: slot.id, lease: slot.lease }] : []));
    const oldest = leases.sort((a, b) => a.lease.token - b.lease.token)[0];
    if (oldest === undefined) return;
    const taken = { slot: oldest.slot, token: oldest.lease.token };
    const robbed = await asked({ what: "rob", ...taken }, () =>
      releaseSlot(context, { name: taken.slot, token: taken.token, force: true }),
    );
    if (robbed?.wasIdle === false) acknowledge({ what: "robbed", ...taken });
  }

  async function heal(): Promise<void> {
    const health = await asked({ what: "heal" }, () => poolHealth(context, { fix: true }));
    if (health !== undefined) note({ what: "healed", text: health.findings.map((one) => `${one.kind} ${one.subject}`).join(", ") });
  }

  const parent = process.ppid;
  // Nobody is left behind by a test run that was ended by force.
  while (!existsSync(order.stop) && process.ppid === parent) {
    const dice = random();
    const idle = slots().filter((slot) => slot.status === "idle").length;
    if (dice < 0.002) await heal();
    else if (dice < 0.01) await rob();
    // A full pool is asked now and then, too: that is when leases of the dead are taken back.
    else if (dice > 0.99 - idle * 0.08) await lease();
    // Fifty who ask all the time would be a storm of refusals.
    else await delay(50 + random() * 600);
  }
}

await work(JSON.parse(process.argv[2] ?? "") as WorkerOrder);
