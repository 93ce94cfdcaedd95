export { approve, approvedBefore, forgetRun, revoke, sealRun, standingOfRun } from "./approvals.ts";
export { commandText, digestOf, type Governed, governedBy } from "./governed.ts";
