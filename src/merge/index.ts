export type { MergeContext } from "./context.ts";
export { type Landing, type LandResult, land, recoverLanding } from "./land.ts";
export { type MergeResult, mergeApproved } from "./merge-approved.ts";
export { type PacketInput, writePacket } from "./packet.ts";
export { type Choice, choose, finishResolution, type Packet, readPacket } from "./resolve.ts";
export { type Finding, proveMerge } from "./resolvers/prove.ts";
export { type AppliedRule, type ConflictedFile, type Resolution, type ResolverLevel, resolveFile } from "./resolvers/resolve-file.ts";
export type { Candidate, Train, TrainStep } from "./train.ts";
export { type Undo, undoLandings } from "./undo.ts";
