import pc from "picocolors";
import { cleanLine, firstLine, humanDuration, type LandedTask, type RunEvent } from "../domain/index.ts";
import { executionModeBox, progressBox, type TaskProgress } from "../plan/index.ts";
import type { SessionStart } from "../run/index.ts";
import type { RunFacts, TaskFacts, TaskStatus } from "../session/index.ts";
import type { Shell } from "./shell.ts";

/** The decision, then which run it is. */
export function openingText(session: SessionStart, shell: Pick<Shell, "width" | "unicode">): string {
  const style = { width: shell.width, unicode: shell.unicode };
  const progressOf = (id: string): TaskProgress => progressFor(session.facts.tasks.get(id)?.status ?? "pending");
  const box = session.resumed
    ? progressBox(session.plan, session.decision, { ...style, progressOf })
    : executionModeBox(session.plan, session.decision, style);
  return `${box}\n${session.resumed ? "Continuing" : "Run"} ${session.run} onto ${session.target}`;
}

/** One line for people about what happened; undefined where the next line says it better. */
export function eventText(event: RunEvent, facts: RunFacts, shell: Pick<Shell, "unicode" | "color">): string | undefined {
  const { green, red, yellow, dim } = pc.createColors(shell.color);
  const mark = shell.unicode
    ? { ok: green("✔"), bad: red("✖"), wait: yellow("●"), go: dim("▶") }
    : { ok: "ok", bad: "FAILED", wait: "!", go: ">" };
  const status = "task" in event && event.task !== null ? facts.tasks.get(event.task) : undefined;
  switch (event.type) {
    case "group-started":
      return `Group ${event.group}`;
    case "attempt-started":
      return `${mark.go} ${event.task}: attempt ${event.attempt} by ${event.agent} in ${event.slot} on ${event.branch}${event.resolves === undefined ? "" : ", to resolve its conflict"}`;
    case "attempt-ended":
      if (event.outcome.kind === "ready")
        return `${mark.go} ${event.task}: ready for QA after ${humanDuration(event.durationMs)} (${event.outcome.commit.slice(0, 10)})`;
      if (event.outcome.kind === "interrupted")
        return `${mark.wait} ${event.task}: interrupted; its work is kept for \`graftwork continue\``;
      return `${status?.status === "failed" ? mark.bad : mark.wait} ${event.task}: ${event.outcome.kind === "failed" ? event.outcome.failure : event.outcome.kind}: ${firstLine(event.outcome.reason)}${again(status)}`;
    case "second-look":
      return secondLookText(event, mark, again(status));
    case "merged-elsewhere":
      return `${mark.ok} in ${facts.target} already, by another hand: ${event.tasks.map((task) => task.task).join(", ")}`;
    case "taken-back":
      return `${mark.wait} ${event.task}: ${firstLine(event.reason)}`;
    case "replanned":
      return `${mark.go} the plan was changed; what it asks for counts from here on`;
    case "verdict":
      if (event.verdict.decision === "approved")
        return `${mark.ok} ${event.task}: QA approved (${event.verdict.checks
          .filter((check) => check.state === "passed")
          .map((check) => check.name)
          .join(", ")})`;
      return `${event.verdict.decision === "blocked" ? mark.wait : mark.bad} ${event.task}: QA ${event.verdict.decision}: ${firstLine(event.verdict.reason)}${again(status)}`;
    case "conflict":
      return `${mark.wait} ${event.task}: ${conflictLine(event)}${afterConflict(status)}`;
    case "packet":
      return `  packet: ${event.folder}`;
    case "ejected":
      return `${event.blocked === true ? mark.wait : mark.bad} ${event.task}: ejected from the train: ${firstLine(event.reason)}${again(status)}`;
    case "train":
      return [
        `${mark.go} merging ${event.tasks.map((task) => task.task).join(", ")}; verifying the result`,
        ...event.tasks.flatMap(resolvedText),
      ].join("\n");
    case "landed":
      return `${mark.ok} landed on ${facts.target}: ${event.tasks.map((task) => task.task).join(", ")} (${event.to.slice(0, 10)}); ${[...facts.tasks.values()].filter((task) => task.status === "done").length}/${facts.tasks.size} tasks in`;
    case "landing-waits":
      return `${mark.wait} merged and verified, but ${facts.target} could not move: ${firstLine(event.reason)}${event.command === null ? "" : `\n  take it with: ${event.command}`}`;
    case "checkpoint":
      return `Group ${event.group}: ${event.status}; checkpoint written`;
    case "warning":
      return `${mark.wait} ${event.task === null ? "" : `${event.task}: `}${cleanLine(event.text)}`;
    default:
      return undefined;
  }
}

function secondLookText(
  { task, verdict, reason }: Extract<RunEvent, { type: "second-look" }>,
  mark: { ok: string; bad: string; wait: string },
  next: string,
): string {
  if (verdict?.decision === "approved") return `${mark.ok} ${task}: a second look on the target as it is now: approved`;
  if (verdict !== null) return `${mark.wait} ${task}: a second look: QA ${verdict.decision}: ${firstLine(verdict.reason)}`;
  return `${mark.bad} ${task}: ${reason === undefined ? "rejected" : firstLine(reason)}${next}`;
}

function conflictLine({ paths, against, reason }: Extract<RunEvent, { type: "conflict" }>): string {
  if (reason !== undefined) return firstLine(reason);
  return `conflict in ${cleanLine(paths.join(", "))}${against.length === 0 ? "" : ` with ${against.join(", ")}`}`;
}

function resolvedText({ task, resolved = [] }: LandedTask): string[] {
  return resolved.map(({ path, rules }) => `  ${task}: ${cleanLine(path)} collided, resolved by rule (${rules.join(", ")})`);
}

function afterConflict(task: TaskFacts | undefined): string {
  if (task?.status === "conflict") return "; a person is needed";
  return task?.resolve == null ? "; its agent does it again on the new base" : "; an agent is asked to resolve it";
}

function again(task: TaskFacts | undefined): string {
  if (task === undefined) return "";
  if (task.secondLook !== null) return "; looked at once more when the others are at rest";
  if (["pending_retry", "qa_rejected"].includes(task.status))
    return task.resolve === null ? "; tried again" : "; an agent is asked to resolve the conflict";
  if (task.status === "conflict") return "; a person is needed";
  return task.status === "failed" ? "; given up" : "";
}

/** A task's status as the box shows it. */
export function progressFor(status: TaskStatus): TaskProgress {
  if (status === "done" || status === "failed" || status === "skipped" || status === "pending") return { state: status };
  if (status === "conflict" || status === "qa_blocked") return { state: "waiting" };
  return { state: "running", text: status.replaceAll("_", " ") };
}
