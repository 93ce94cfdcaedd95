export type { MergeContext } from "./context.ts";
export { backupPrefix, type Landing, type LandResult, land, mergedRef, recoverLanding } from "./land.ts";
export { type MergeResult, mergeApproved } from "./merge-approved.ts";
export { kindOf, type PacketInput, writePacket } from "./packet.ts";
export { type Choice, choose, finishResolution, hasMarkers, type Packet, readPacket } from "./resolve.ts";
export { buildTrain, type Candidate, type Train, type TrainStep } from "./train.ts";
export { type Undo, undoLandings } from "./undo.ts";
