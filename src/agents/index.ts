export { withAllowedChecks } from "./allowed-checks.ts";
export { type BriefInput, buildBrief } from "./brief.ts";
export { type Presets, presets } from "./presets.ts";
export { buildResolverBrief, type ResolverBriefInput } from "./resolver-brief.ts";
export { type AgentStart, runAgent } from "./run-agent.ts";
export { type Claim, successOf } from "./success.ts";
