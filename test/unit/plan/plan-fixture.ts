import { GraftworkError, type Plan, type Task } from "../../../src/domain/index.ts";

/** A task that says nothing but its id and what is given. */
export function task(id: string, more: Partial<Task> = {}): Task {
  return {
    id,
    title: id,
    description: id,
    files: [],
    dependsOn: [],
    workType: null,
    contention: "FREE",
    resources: [],
    agent: null,
    verification: [],
    timeoutMs: null,
    retries: null,
    ...more,
  };
}

export function planOf(...tasks: Task[]): Plan {
  return { version: 1, name: "p", base: null, protect: "strict", verification: [], tasks };
}

/** The reasons of a PLAN_INVALID, a line each; anything else fails the test. */
export function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof GraftworkError && error.code === "PLAN_INVALID") return error.because;
    throw error;
  }
  throw new Error("the plan was taken");
}
