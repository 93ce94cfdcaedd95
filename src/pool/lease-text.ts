import { count, GraftworkError, humanDuration } from "../domain/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import type { PoolState, SlotRecord } from "./pool-state.ts";
import { liveQueue } from "./queue.ts";

/** "task-cart has held wt-3 for 2 h 10 min (pid 4121 is gone)." */
export function holderText(slot: SlotRecord, now: Date): string {
  const { lease } = slot;
  if (lease === null) return `${slot.id} is ${slot.status}${slot.lastError === null ? "" : ` (${slot.lastError.split("\n")[0]})`}.`;
  const since = humanDuration(now.getTime() - Date.parse(lease.acquiredAt));
  const who =
    lease.owner.kind === "shell"
      ? `owner ${lease.owner.name}`
      : `pid ${lease.owner.process.pid} ${{ alive: "lives", dead: "is gone", unknown: "is on another host" }[livenessOf(lease.owner.process)]}`;
  return `${lease.task} of run ${lease.run} has held ${slot.id} for ${since} (${who}).`;
}

export function leaseHeld(slot: SlotRecord, now: Date): GraftworkError {
  const { lease } = slot;
  return new GraftworkError("LEASE_HELD", {
    message: `${lease?.task ?? slot.id} already has ${slot.id}.`,
    because: lease === null ? `the slot is ${slot.status}.` : holderText(slot, now),
    try:
      slot.status !== "busy" && slot.status !== "quarantined"
        ? "run the same command again in a moment: another process is at work on it."
        : `wait for it, or \`pool-manager release ${slot.id}${lease?.owner.kind === "process" ? " --force" : ""}\` (its work is saved first).`,
    details: { slot: slot.id, owner: lease?.owner.name, run: lease?.run },
  });
}

export function interrupted(task: string): GraftworkError {
  return new GraftworkError("INTERRUPTED", {
    message: `No slot was taken for ${task}.`,
    because: "the wait for one was interrupted, and its place in the queue was given up.",
    try: `\`pool-manager acquire ${task} --wait 60\` waits again, from the end of the queue.`,
    details: { task },
  });
}

export function exhausted(state: PoolState, task: string, now: Date): GraftworkError {
  const holders = state.slots.map((slot) => holderText(slot, now));
  const waiting = liveQueue(state).map((one) => one.task);
  const before = waiting.includes(task) ? waiting.slice(0, waiting.indexOf(task)) : waiting;
  const queue = before.length === 0 ? [] : [`waiting before it: ${before.join(", ")}.`];
  return new GraftworkError("POOL_EXHAUSTED", {
    message: `No free slot for ${task}: the pool has ${count(state.slots.length, "slot")}.`,
    because: state.slots.length === 0 ? "the pool has no slots." : [...holders, ...queue].join("\n  "),
    try: `\`pool-manager acquire ${task} --wait 60\`, \`pool-manager release <slot>\` when a task is done, or \`pool-manager init ${state.slots.length + 4}\` for more slots.`,
    details: { task, slots: state.slots.map((slot) => ({ id: slot.id, status: slot.status, task: slot.lease?.task ?? null })) },
  });
}

export function rescuedText({ id, lease }: Pick<SlotRecord, "id" | "lease">, rescue: { id: string }): string {
  return `${id}: unsaved work of ${lease?.task ?? id} is kept as rescue ${rescue.id} (\`pool-manager rescue show ${rescue.id}\`)`;
}
