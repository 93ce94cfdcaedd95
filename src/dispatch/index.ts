export { agentOf, attemptTask, checksOf, type DispatchContext, settleInterrupted } from "./attempt.ts";
export { type Evidence, outcomeOf } from "./evidence.ts";
