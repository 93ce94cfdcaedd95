import { existsSync } from "node:fs";
import fc from "fast-check";
import { GraftworkError, type LeasedSlot } from "../../src/domain/index.ts";
import { acquireSlot, cleanupPool, initPool, poolHealth, releaseSlot } from "../../src/pool/index.ts";
import { agentCommits, agentCorrupts, agentDirties, CORRUPT, type Corrupt, DIRTY, type Dirty, folderRemoved, workplace } from "./agent.ts";
import { CRASHED, Crash } from "./crash.ts";
import type { Model } from "./model.ts";
import type { World } from "./world.ts";

export type PoolCommand = fc.AsyncCommand<Model, World>;

const TASKS = ["one", "two", "three"] as const;
const OWNERS = ["ann", "ben"] as const;

/** Runs a verb; answers with its value, or with the code of the error that it said. Anything else is a defect. */
async function said<Value>(verb: () => Promise<Value>): Promise<{ value: Value; code: null } | { value: undefined; code: string }> {
  try {
    return { value: await verb(), code: null };
  } catch (error) {
    if (error instanceof GraftworkError && error.code !== "INTERNAL" && error.code !== "GIT_FAILED")
      return { value: undefined, code: error.code };
    throw error;
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** A command with its name, for the list that a failure prints. */
abstract class Command implements PoolCommand {
  private readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  check(model: Readonly<Model>): boolean {
    void model;
    return true;
  }
  async run(model: Model, world: World): Promise<void> {
    await this.act(model, world);
    await model.check(world);
  }
  abstract act(model: Model, world: World): Promise<void>;
  toString(): string {
    return this.name;
  }
}

class Init extends Command {
  private readonly size: number;
  constructor(size: number) {
    super(`init ${size}`);
    this.size = size;
  }
  async act(model: Model, world: World): Promise<void> {
    const before = [...(model.slots ?? [])];
    const surplus = before.slice(this.size);
    const refused = surplus.some(([, slot]) => slot.status !== "idle");
    const { code } = await said(() => initPool(world.context, { size: this.size }));
    const damaged = surplus.some(([id]) => model.damaged.has(id));
    expect(refused ? code === "LEASE_HELD" : code === null || damaged, `init ${this.size} said ${code}`);
    model.sync(world, refused ? new Set() : new Set([...surplus.map(([id]) => id), ...unknown(world, model)]));
    expect(code !== null || model.slots?.size === this.size, `init ${this.size} made ${model.slots?.size}`);
  }
}

function unknown(world: World, model: Model): string[] {
  return (world.state()?.state.slots ?? []).map(({ id }) => id).filter((id) => model.slots?.has(id) !== true);
}

class Acquire extends Command {
  private readonly task: string;
  private readonly owner: string;
  constructor(task: string, owner: string) {
    super(`acquire ${task} as ${owner}`);
    this.task = task;
    this.owner = owner;
  }
  async act(model: Model, world: World): Promise<void> {
    const { task } = this;
    const ask = () => said(() => acquireSlot(world.as(this.owner), { task }));
    const [held, checkedOut, next] = [model.leaseOf(task), world.checkedOut(), model.nextToken];
    const idle = model.idle();
    // An idle slot whose folder is gone is made anew, and may be given then.
    const lost = idle.filter((id) => !existsSync(world.slotPath(id)));
    // So is a leased one, whose task begins again where its branch stands.
    const isLost = held !== undefined && !existsSync(world.slotPath(held[0]));
    const answer = await ask();
    if (answer.value === undefined) {
      model.sync(world, new Set(lost));
      const allowed =
        model.slots === undefined
          ? "POOL_MISSING"
          : held !== undefined
            ? "LEASE_HELD"
            : idle.length === 0
              ? "POOL_EXHAUSTED"
              : checkedOut.some((branch) => branch.startsWith(`auto/${task}`))
                ? "BRANCH_IN_USE"
                : "a lease";
      expect(
        answer.code === allowed || (answer.code === "BRANCH_IN_USE" && checkedOut.some((branch) => branch.startsWith(`auto/${task}`))),
        `acquire said ${answer.code} instead of ${allowed}`,
      );
      if (held !== undefined)
        expect(
          held[1].lease?.owner !== this.owner || held[1].status !== "busy" || model.damaged.has(held[0]),
          `${task} was refused to its owner`,
        );
      return;
    }
    const { id, lease } = answer.value;
    if (held === undefined || isLost) {
      expect(idle.includes(id) || held?.[0] === id, `${id} was given and was not idle`);
      expect(lease.token >= next, `token ${lease.token} was given, the next was ${next}`);
      expect(world.slotGit(id, "symbolic-ref", "HEAD") === `refs/heads/${lease.branch}`, `${id} is not on ${lease.branch}`);
      expect(
        world.slotGit(id, "status", "--porcelain", "--ignored") === "",
        `${id} is not clean: ${world.slotGit(id, "status", "--porcelain", "--ignored")}`,
      );
      model.sync(world, new Set([id, ...lost, ...(held === undefined ? [] : [held[0]])]));
    } else {
      expect(held[0] === id && held[1].lease?.token === lease.token && held[1].lease.owner === this.owner, `${task} was given ${id} again`);
      model.sync(world, new Set());
    }
    // Asked again, it is the same line, and nobody's lease is another; that it is asked for may renew it.
    const again = await ask();
    expect(
      again.value !== undefined && lineOf(again.value) === lineOf(answer.value),
      `asked again: ${JSON.stringify(again)} instead of ${id}`,
    );
    model.sync(world, new Set());
  }
}

function lineOf({ id, path, lease }: LeasedSlot): string {
  return `${id}|${path}|${lease.branch} ${lease.base} ${lease.token}`;
}

class Release extends Command {
  private readonly task: string;
  private readonly by: "slot" | "task";
  private readonly token: "right" | "wrong" | "none";
  constructor(task: string, by: "slot" | "task", token: "right" | "wrong" | "none") {
    super(`release ${task} by its ${by}, ${token} token`);
    this.task = task;
    this.by = by;
    this.token = token;
  }
  async act(model: Model, world: World): Promise<void> {
    const held = model.leaseOf(this.task);
    const slot = held?.[0] ?? [...(model.slots?.keys() ?? [])][0] ?? "wt-1";
    const token = { right: held?.[1].lease?.token, wrong: (held?.[1].lease?.token ?? 1) + 7, none: undefined }[this.token];
    const [branches, status] = [world.branches(), model.slots?.get(slot)?.status];
    const name = this.by === "slot" ? slot : this.task;
    const { value, code } = await said(() => releaseSlot(world.context, { name, ...(token === undefined ? {} : { token }) }));
    const known = model.slots?.has(slot) === true && (this.by === "slot" || held !== undefined);
    if (model.slots === undefined || !known)
      expect(code === (model.slots === undefined ? "POOL_MISSING" : "SLOT_UNKNOWN"), `release said ${code}`);
    else if (status === "idle") expect(value?.wasIdle === true, `release of an idle slot said ${code}`);
    else if (this.token === "wrong") expect(code === "LEASE_HELD", `release by a wrong token said ${code}`);
    else expect(value?.wasIdle === false || model.damaged.has(slot), `release said ${code}`);
    model.sync(world, new Set(known && this.token !== "wrong" && status !== "idle" ? [slot] : []));
    if (code === null && known) {
      expect(model.slots?.get(slot)?.status === "idle", `${slot} is ${model.slots?.get(slot)?.status} after its release`);
      expect(
        world.slotGit(slot, "status", "--porcelain", "--ignored") === "" || !existsSync(world.slotPath(slot)),
        `${slot} is idle and not clean`,
      );
      model.damaged.delete(slot);
    }
    const gone = [...branches].filter((branch) => !world.branches().has(branch));
    expect(gone.length === 0, `release deleted ${gone.join()}`);
  }
}

class AgentWorks extends Command {
  private readonly n: number;
  private readonly how: "commit" | Dirty | Corrupt;
  constructor(n: number, how: "commit" | Dirty | Corrupt) {
    super(`agent ${n}: ${how}`);
    this.n = n;
    this.how = how;
  }
  override check(model: Readonly<Model>): boolean {
    return model.busy().length > 0;
  }
  async act(model: Model, world: World): Promise<void> {
    const place = workplace(model, world, this.n);
    if (place === undefined) return;
    const { slot, token, branch } = place;
    const { how } = this;
    if (how === "commit") agentCommits(model, world, slot, token);
    else if ((CORRUPT as readonly string[]).includes(how)) agentCorrupts(model, world, slot, branch, how as Corrupt);
    else agentDirties(model, world, slot, token, how as Dirty);
  }
}

class UserPrunes extends Command {
  constructor() {
    super("worktree prune, gc --prune=now");
  }
  async act(model: Model, world: World): Promise<void> {
    world.repo.git("worktree", "prune");
    world.repo.git("gc", "--quiet", "--prune=now");
    model.sync(world, new Set());
  }
}

class UserRemovesFolder extends Command {
  private readonly n: number;
  constructor(n: number) {
    super(`rm -rf of slot ${n}`);
    this.n = n;
  }
  async act(model: Model, world: World): Promise<void> {
    const ids = [...(model.slots?.keys() ?? [])];
    const slot = ids[this.n % Math.max(1, ids.length)];
    if (slot !== undefined) folderRemoved(model, world, slot);
  }
}

class Cleanup extends Command {
  private readonly again: number | null;
  constructor(again: number | null) {
    super(again === null ? "cleanup" : `reset ${again}`);
    this.again = again;
  }
  async act(model: Model, world: World): Promise<void> {
    const { code } = await said(() => cleanupPool(world.context, { force: false }));
    const damaged = model.damaged.size > 0;
    expect(code === (model.slots === undefined ? "POOL_MISSING" : null) || damaged, `cleanup said ${code}`);
    model.sync(world, "all");
    expect(code !== null || model.slots === undefined, "there is a pool after the cleanup");
    if (this.again !== null && code !== "SLOT_QUARANTINED") await new Init(this.again).act(model, world);
  }
}

class Health extends Command {
  private readonly fix: boolean;
  constructor(fix: boolean) {
    super(fix ? "health --fix" : "health");
    this.fix = fix;
  }
  async act(model: Model, world: World): Promise<void> {
    const generation = world.state()?.generation;
    const { value, code } = await said(() => poolHealth(world.context, { fix: this.fix }));
    expect(code === (model.slots === undefined ? "POOL_MISSING" : null), `health said ${code}`);
    if (!this.fix) expect(world.state()?.generation === generation, "looking changed the state");
    const unwell = [...(model.slots ?? [])]
      .filter(([id, slot]) => slot.status === "quarantined" || model.damaged.has(id))
      .map(([id]) => id);
    model.sync(world, this.fix ? new Set(unwell) : new Set());
    if (!this.fix || value === undefined) return;
    const open = value.findings.filter((one) => !one.repaired && one.kind !== "wrong-branch");
    expect(open.length === 0, `health --fix left ${JSON.stringify(open)}`);
    for (const [id, { status }] of model.slots ?? [])
      expect(status === "idle" || status === "busy", `${id} is ${status} after health --fix`);
    model.damaged.clear();
  }
}

/** What the commands of one run are drawn from; agents work more often than anybody prunes. */
export function poolCommands(): fc.Arbitrary<PoolCommand>[] {
  const task = fc.constantFrom(...TASKS);
  const acquire = fc.tuple(task, fc.constantFrom(...OWNERS)).map(([task, owner]) => new Acquire(task, owner));
  const works = (how: readonly ("commit" | Dirty | Corrupt)[]) =>
    fc.tuple(fc.nat({ max: 3 }), fc.constantFrom(...how)).map(([n, how]) => new AgentWorks(n, how));
  return [
    fc.integer({ min: 1, max: 3 }).map((size) => new Init(size)),
    acquire,
    acquire,
    fc
      .tuple(
        task,
        fc.constantFrom("slot" as const, "task" as const),
        fc.constantFrom("right" as const, "right" as const, "none" as const, "wrong" as const),
      )
      .map(([task, by, token]) => new Release(task, by, token)),
    works(["commit"]),
    works(DIRTY),
    works(DIRTY),
    works(CORRUPT),
    fc
      .tuple(fc.constantFrom(...CRASHED), task, fc.nat({ max: 80 }), fc.boolean())
      .map(([verb, task, at, timed]) => new Crash(verb, task, at, timed)),
    fc.constant(new UserPrunes()),
    fc.nat({ max: 3 }).map((n) => new UserRemovesFolder(n)),
    fc.constantFrom(new Cleanup(null), new Cleanup(2), new Cleanup(3)),
    fc.boolean().map((fix) => new Health(fix)),
  ];
}
