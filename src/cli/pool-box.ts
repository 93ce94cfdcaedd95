import { firstLine, humanDuration } from "../domain/index.ts";
import { displayWidth, fitWidth } from "../plan/index.ts";
import type { PoolStatus, SlotRow } from "../pool/index.ts";
import type { Shell } from "./shell.ts";

const LINES = {
  unicode: { topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", across: "─", down: "│", left: "├", right: "┤" },
  ascii: { topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", across: "-", down: "|", left: "+", right: "+" },
} as const;

/** The pool as a box: the source system's counting line, then a row a slot. */
export function poolBox(status: PoolStatus, now: Date, shell: Pick<Shell, "width" | "unicode">): string {
  const lines = shell.unicode ? LINES.unicode : LINES.ascii;
  const heads = ["Slot", "Status", "Task", "Branch", "Ahead/behind", "Unsaved", "Age", "Owner"];
  const rows = status.slots.map((slot) => cells(slot, now));
  const widths = heads.map((head, column) => Math.max(...[head, ...rows.map((row) => row[column] ?? "")].map(displayWidth)));
  const counts = `Pool Size: ${status.size} | Busy: ${status.busy} | Idle: ${status.idle} | Error: ${status.error}`;
  const inner =
    Math.max(
      displayWidth(counts),
      widths.reduce((sum, width) => sum + width + 2, -2),
    ) + 2;
  const bar = (left: string, right: string): string => `${left}${lines.across.repeat(inner)}${right}`;
  const line = (text: string): string => `${lines.down} ${fitWidth(text, inner - 2)} ${lines.down}`;
  const row = (texts: readonly string[]): string => line(texts.map((text, column) => fitWidth(text, widths[column] ?? 0)).join("  "));
  return [
    bar(lines.topLeft, lines.topRight),
    line(counts),
    bar(lines.left, lines.right),
    row(heads),
    ...rows.map(row),
    bar(lines.bottomLeft, lines.bottomRight),
  ].join("\n");
}

function cells(slot: SlotRow, now: Date): string[] {
  const { lease } = slot;
  const status = slot.status === "idle" ? "idle" : slot.status === "busy" ? "BUSY" : slot.status;
  if (lease === null) return [slot.id, status, "-", "-", "-", "-", "-", slot.lastError == null ? "-" : firstLine(slot.lastError)];
  const owner =
    lease.owner.kind === "shell"
      ? lease.owner.name
      : `${lease.run} (pid ${lease.owner.process.pid}${slot.ownerAlive === "dead" ? ", gone" : ""})`;
  return [
    slot.id,
    status,
    lease.task,
    lease.branch,
    `${slot.ahead ?? "?"}/${slot.behind ?? "?"}`,
    String(slot.unsaved ?? "?"),
    humanDuration(now.getTime() - Date.parse(lease.acquiredAt)),
    owner,
  ];
}
