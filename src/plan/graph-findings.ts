import { didYouMean, idKey } from "../domain/index.ts";

/** A task as far as it could be read: the rest may be wrong, and is reported elsewhere. */
export type GraphTask = { index: number; id: string; dependsOn: readonly { id: string; index: number | null }[] };
export type GraphFinding = { path: (string | number)[]; message: string };

/** Suggestions cost a comparison with every id: enough for a person to see the pattern. */
const SUGGESTIONS_MAX = 100;
/** A dense tangle has more cycles than anyone can read. */
const CYCLES_MAX = 100;

/** Ids that collide, dependencies that lead nowhere, and cycles. */
export function graphFindings(tasks: readonly GraphTask[]): GraphFinding[] {
  const findings: GraphFinding[] = [];
  const byKey = new Map<string, GraphTask>();
  for (const task of tasks) {
    const first = byKey.get(idKey(task.id));
    if (first === undefined) byKey.set(idKey(task.id), task);
    else {
      const how =
        first.id === task.id ? "is the id of two tasks" : `and \`${first.id}\` differ only in case, which a file system may not tell apart`;
      findings.push({ path: ["tasks", task.index, "id"], message: `\`${task.id}\` ${how}` });
    }
  }
  const ids = tasks.map((task) => task.id);
  const known = new Set(ids);
  let suggestions = 0;
  for (const task of tasks) {
    for (const dependency of task.dependsOn) {
      const path = ["tasks", task.index, "depends_on", ...(dependency.index === null ? [] : [dependency.index])];
      if (dependency.id === task.id) findings.push({ path, message: `\`${task.id}\` depends on itself` });
      else if (!known.has(dependency.id)) {
        const hint = suggestions++ < SUGGESTIONS_MAX ? didYouMean(dependency.id, ids) : "";
        findings.push({
          path,
          message: `\`${task.id}\` depends on \`${dependency.id.slice(0, 100)}\`, which is no task of this plan${hint}`,
        });
      }
    }
  }
  for (const cycle of cycles(tasks)) {
    const [first] = cycle;
    if (first === undefined) continue;
    const names = cycle.map((task) => task.id);
    const shown = names.length > 20 ? [...names.slice(0, 19), `… ${names.length - 19} more`] : names;
    findings.push({ path: ["tasks", first.index, "depends_on"], message: `a cycle of dependencies: ${[...shown, first.id].join(" -> ")}` });
  }
  return findings;
}

/** Cycles of more than one task, each told once, beginning with its first task in the plan. */
function cycles(tasks: readonly GraphTask[]): GraphTask[][] {
  // Of two tasks of one id, the first is meant: that there are two is reported already.
  const byId = new Map(tasks.toReversed().map((task) => [task.id, task]));
  const next = (task: GraphTask): GraphTask[] =>
    task.dependsOn.map((d) => byId.get(d.id)).filter((t) => t !== undefined && t !== task) as GraphTask[];
  const state = new Map<GraphTask, "open" | "closed">();
  const found: GraphTask[][] = [];
  for (const start of tasks) {
    if (state.has(start)) continue;
    const path: { task: GraphTask; rest: GraphTask[] }[] = [{ task: start, rest: next(start) }];
    state.set(start, "open");
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = top.rest.shift();
      if (to === undefined) {
        state.set(top.task, "closed");
        path.pop();
      } else if (state.get(to) === "open" && found.length < CYCLES_MAX) {
        const from = path.findIndex(({ task }) => task === to);
        found.push(fromFirst(path.slice(from).map(({ task }) => task)));
      } else if (!state.has(to)) {
        state.set(to, "open");
        path.push({ task: to, rest: next(to) });
      }
    }
  }
  return found;
}

function fromFirst(cycle: GraphTask[]): GraphTask[] {
  const first = cycle.reduce((least, task, i) => (task.index < (cycle[least]?.index ?? 0) ? i : least), 0);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
