export {
  approve,
  approvedBefore,
  forgetRun,
  keepDecision,
  keepVerified,
  revoke,
  sealRun,
  standingOfRun,
  wasDecided,
  wasVerified,
} from "./approvals.ts";
export { commandFiles } from "./command-files.ts";
export { digestOf, governedBy } from "./governed.ts";
export { type LooseFile, type Scan, secretsInFiles, secretsInWork } from "./scan-work.ts";
