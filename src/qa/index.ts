import { sweepRooms } from "../checkout/index.ts";

export type { QaContext } from "./context.ts";
export { packageChecks } from "./plan-checks.ts";
export { verifyCommit } from "./verify-commit.ts";
/** Clears what killed verifications left: folders, programs, refs. Returns the folders. */
export const pruneQa = sweepRooms;
