export { approve, approvedBefore, forgetRun, keepVerified, revoke, sealRun, standingOfRun, wasVerified } from "./approvals.ts";
export { commandText, digestOf, type Governed, governedBy } from "./governed.ts";
