import { setTimeout as delay } from "node:timers/promises";
import type fc from "fast-check";
import { GraftworkError } from "../../src/domain/index.ts";
import { poolHealth, releaseSlot } from "../../src/pool/index.ts";
import { startCli } from "../fixtures/index.ts";
import type { Model } from "./model.ts";
import type { World } from "./world.ts";

export const CRASHED = ["init 3", "init 1", "acquire", "release", "health --fix", "cleanup", "reset 2"] as const;

/**
 * A real program is killed in the middle of a verb: at its `at`th failpoint, or (`timed`) after some milliseconds.
 * The next verb has to put right what it left.
 */
export class Crash implements fc.AsyncCommand<Model, World> {
  private readonly verb: (typeof CRASHED)[number];
  private readonly task: string;
  private readonly at: number;
  private readonly timed: boolean;
  constructor(verb: (typeof CRASHED)[number], task: string, at: number, timed: boolean) {
    this.verb = verb;
    this.task = task;
    this.at = at;
    this.timed = timed;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    const before = new Set(world.branches());
    const args = [...this.verb.split(" "), ...(this.verb === "acquire" || this.verb === "release" ? [this.task] : [])];
    const env = this.timed ? {} : { GRAFTWORK_FAILPOINT: `*@${this.at + 1}=kill` };
    const running = startCli(args, {
      cwd: world.repo.dir,
      program: "pool-manager",
      env: { ...env, GRAFTWORK_OWNER: "ann", HOME: world.repo.parent },
    });
    if (this.timed) await Promise.race([delay(60 + this.at * 5), running.result]);
    running.child.kill("SIGKILL");
    await running.result;
    await recover(world);
    for (const { id, status, worker } of world.state()?.state.slots ?? [])
      if (status === "preparing" || status === "releasing") throw new Error(`${id} is still ${status} by ${worker?.pid}`);
    model.sync(world, touched(this.verb, this.task, model, world));
    // A branch without an owner is one that this crash has left.
    const recorded = world.state()?.state.branches ?? {};
    const stray = [...world.branches()].filter(
      (branch) => branch.startsWith("auto/") && !before.has(branch) && recorded[branch] === undefined,
    );
    if (stray.length > 0) throw new Error(`nobody owns ${stray.join()}`);
    await model.check(world);
  }

  toString(): string {
    return `kill ${this.verb} ${this.task} ${this.timed ? `after ${60 + this.at * 5} ms` : `at its failpoint ${this.at + 1}`}`;
  }
}

/** Any verb recovers first: here one that then has nothing to do, and health where that is not enough. */
async function recover(world: World): Promise<void> {
  await releaseSlot(world.context, { name: "nobody-has-this" }).catch(expected);
  await poolHealth(world.context, { fix: false }).catch(expected);
}

function expected(error: unknown): void {
  if (!(error instanceof GraftworkError) || !["SLOT_UNKNOWN", "POOL_MISSING"].includes(error.code)) throw error;
}

/** Whose slots the verb may have changed before it was killed. */
function touched(verb: (typeof CRASHED)[number], task: string, model: Model, world: World): Set<string> | "all" {
  if (verb === "cleanup" || verb === "reset 2" || verb === "health --fix") return "all";
  if (verb === "release") return new Set([model.leaseOf(task)?.[0] ?? ""]);
  const idle = model.idle();
  const fresh = (world.state()?.state.slots ?? []).map(({ id }) => id).filter((id) => model.slots?.has(id) !== true);
  return new Set([...idle, ...fresh]);
}
