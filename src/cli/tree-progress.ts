import { Listr, type ListrTask } from "listr2";
import { cleanLine, firstLine } from "../domain/index.ts";
import { isSettled, type RunFacts, type TaskFacts } from "../session/index.ts";
import { eventText, openingText } from "./event-text.ts";
import type { Progress } from "./progress.ts";
import type { Shell } from "./shell.ts";

type Row = { settle: (facts: TaskFacts | undefined) => void; say: (line: string) => void };

/**
 * The tasks of a run as a tree on the terminal. listr2 draws it; what a row says comes from the run's events, and a
 * row ends when its task does. What people should be able to scroll back to is printed again at the end.
 */
export function treeProgress(shell: Shell): Progress {
  const rows = new Map<string, Row>();
  const kept: string[] = [];
  let drawing: Promise<unknown> = Promise.resolve();
  const settle = (facts: RunFacts | undefined, all: boolean): void => {
    for (const [id, row] of rows) {
      const task = facts?.tasks.get(id);
      if (!all && (task === undefined || !isSettled(task.status))) continue;
      rows.delete(id);
      row.settle(task);
    }
  };
  let last: RunFacts | undefined;
  return {
    onStart(session) {
      last = session.facts;
      shell.write(`${openingText(session, shell)}\n`);
      const groups = session.decision.groups.map((group) => ({
        title: `Group ${group.number}`,
        task: (_: unknown, parent: { newListr: (tasks: ListrTask[], options: object) => Listr }) =>
          parent.newListr(
            group.tasks.map((id) => rowTask(id, rows, () => last?.tasks.get(id))),
            { concurrent: true, exitOnError: false, registerSignalListeners: false },
          ),
      }));
      drawing = new Listr(groups as ListrTask[], {
        concurrent: true,
        exitOnError: false,
        // Its own handler exits at once, with 127: nothing would be saved or said.
        registerSignalListeners: false,
        rendererOptions: { collapseSubtasks: false, showErrorMessage: false },
      })
        .run()
        .catch(() => undefined);
    },
    onEvent({ event }, _before, after) {
      last = after;
      const text = eventText(event, after, { unicode: shell.unicode, color: false });
      const ids =
        "task" in event && event.task !== null
          ? [event.task]
          : "tasks" in event
            ? event.tasks.map((one) => (typeof one === "string" ? one : one.task))
            : [];
      for (const id of ids) if (text !== undefined) rows.get(id)?.say(text);
      if (text !== undefined && ["packet", "landing-waits", "warning"].includes(event.type)) kept.push(text);
      settle(after, false);
    },
    onLine: (task, line) => rows.get(task)?.say(cleanLine(line)),
    note: (line) => void kept.push(cleanLine(line)),
    async end() {
      settle(last, true);
      await drawing;
      for (const line of kept) shell.write(`${line}\n`);
    },
  };
}

function rowTask(id: string, rows: Map<string, Row>, now: () => TaskFacts | undefined): ListrTask {
  return {
    title: id,
    task: (_, row) =>
      new Promise<void>((resolve, reject) => {
        const settle: Row["settle"] = (facts) => {
          if (facts !== undefined && ["failed", "conflict", "qa_blocked"].includes(facts.status))
            return reject(new Error(facts.lastError === null ? facts.status : firstLine(facts.lastError)));
          if (facts?.status !== "done")
            row.skip(`${id}: ${facts === undefined || facts.status === "pending" ? "not begun" : facts.status}`);
          resolve();
        };
        const known = now();
        if (known !== undefined && isSettled(known.status)) settle(known);
        else rows.set(id, { settle, say: (line) => void (row.output = line) });
      }),
  };
}
