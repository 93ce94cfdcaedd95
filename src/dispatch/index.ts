export { agentOf, attemptTask, checksOf, type DispatchContext, settleInterrupted } from "./attempt.ts";
