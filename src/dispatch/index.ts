export { agentOf, attemptTask, checksOf, type DispatchContext, settleInterrupted } from "./attempt.ts";
export { neighbourOf } from "./neighbour.ts";
