export { attemptTask } from "./attempt.ts";
export { type BriefTemplates, type DispatchContext, requireAgent } from "./context.ts";
export { neighbourOf } from "./neighbour.ts";
export { attemptResolution, type ConflictWork, settleResolution } from "./resolve-attempt.ts";
export { settleInterrupted } from "./settle-interrupted.ts";
