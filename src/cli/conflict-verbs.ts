import { cleanText, count, EXIT, type ExitCode } from "../domain/index.ts";
import { displayWidth, fitWidth } from "../plan/index.ts";
import { openConflicts, whoTouches } from "../run/index.ts";
import { conflictText } from "./conflict-text.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

/** `conflicts`: what would conflict if all open branches were merged as they are. */
export async function listConflicts(shell: Shell, into: string | undefined): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const { target, branches, conflicts } = await openConflicts(context, into ?? null);
  const rows = branches.map(({ branch, task, slot, state, paths, unsaved }) => [
    branch,
    task,
    slot?.id ?? "-",
    state,
    String(paths),
    String(unsaved.length),
  ]);
  const text =
    rows.length === 0
      ? ["No branch is being worked on."]
      : [...columns([["Branch", "Task", "Slot", "State", "Files", "Unsaved"], ...rows]), "", ...conflictText(conflicts)];
  shell.answer(text.join("\n"), {
    target,
    branches: branches.map(({ slot, ...branch }) => ({ ...branch, slot: slot?.id ?? null })),
    pairs: conflicts,
  });
  return EXIT.ok;
}

/** `conflicts check`: exit 3 where somebody else changes the file, since it is free again once that has landed. */
export async function checkFile(shell: Shell, file: string, into: string | undefined): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const { path, by } = await whoTouches(context, into ?? null, shell.cwd, file);
  const lines = by.map(({ branch, slot, state, unsaved }) => {
    const where = slot === null ? "" : ` in ${slot}`;
    return `  ${branch} (${state}${where}${unsaved ? ", unsaved" : ""})`;
  });
  const shown = cleanText(path);
  const text = by.length === 0 ? [`${shown}: nobody else changes it`] : [`${shown}: changed by ${count(by.length, "other")}`, ...lines];
  shell.answer(text.join("\n"), { path, free: by.length === 0, by });
  return by.length === 0 ? EXIT.ok : EXIT.retry;
}

/** Each column as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => fitWidth(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
