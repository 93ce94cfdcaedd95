export type { MergeContext } from "./context.ts";
export { backupPrefix, land, type Landing, type LandResult, mergedRef, recoverLanding } from "./land.ts";
export { mergeApproved, type MergeResult } from "./merge-approved.ts";
export { kindOf, type PacketInput, writePacket } from "./packet.ts";
export { buildTrain, type Candidate, type Train, type TrainStep } from "./train.ts";
