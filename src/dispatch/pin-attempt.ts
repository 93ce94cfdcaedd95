import type { Task } from "../domain/index.ts";
import { updateRefs } from "../git/index.ts";
import type { DispatchContext } from "./context.ts";

/** Returns the ref that keeps commits which an attempt left and its branch does not have. */
export function attemptRef({ run }: Pick<DispatchContext, "run">, { id }: Pick<Task, "id">, attempt: number): string {
  return `refs/graftwork/attempts/${run}/${id}/${attempt}`;
}

/** Holds the attempt's commit by a ref, for QA and merging. */
export async function pinAttempt(
  context: Pick<DispatchContext, "repository" | "run">,
  task: Task,
  attempt: number,
  commit: string,
): Promise<void> {
  await updateRefs(
    context.repository,
    [{ ref: `refs/graftwork/ready/${context.run}/${task.id}`, set: commit }],
    `attempt ${attempt} of ${task.id}`,
  );
}
