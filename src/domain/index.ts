export {
  argvOf,
  CHECK_JSON_SCHEMA,
  CHECK_KEYS,
  CHECK_TIMEOUT_MS,
  type CheckEntry,
  checkOf,
  emptyCommandProblem,
  type JudgedCheck,
} from "./check.ts";
export type { AgentSpec, Config } from "./config.ts";
export { ERROR_EXITS, type ErrorCode, type ErrorParts, EXIT, type ExitCode, GraftworkError, systemCode, worstExit } from "./errors.ts";
export type { JournalLine, LandedTask, ResolvedFile, RunEvent } from "./events.ts";
export { type DocumentPath, didYouMean, type Finding, findingLines, nearest, quoted } from "./finding.ts";
export type { Governed, GovernedText } from "./governed.ts";
export { idKey, isTaskId, requireRunId, requireTaskId, runId, slotId, slotNumber } from "./ids.ts";
export { type AgentReport, type FailureKind, type Outcome, SIGNALS, type Signal, type Usage } from "./outcome.ts";
export { type Check, type Decision, type Group, type Plan, type Task, WORK_TYPES, type WorkType } from "./plan.ts";
export { type Lease, type LeasedSlot, type LeaseOwner, type ProcessIdentity, SLOT_STATUSES, type SlotStatus } from "./pool.ts";
export { describeValue, type SchemaIssue, schemaFinding, unknownKeys } from "./schema-finding.ts";
export {
  hideSecrets,
  isSecretName,
  LONGEST_PART,
  OVERLAP,
  partsOf,
  SCANNED_AT_MOST,
  type SecretHit,
  type SecretValue,
  secretHits,
  secretsIn,
  secretValuesOf,
} from "./secrets.ts";
export { commandText, shellWord } from "./shell-word.ts";
export {
  cleanLine,
  cleanText,
  count,
  firstLine,
  hideCredentials,
  humanDuration,
  humanSize,
  inCode,
  tailLines,
  terminalText,
  trimEndOf,
  visibleText,
} from "./text.ts";
export { DURATION_FORM, parseDuration, parseSize, SIZE_FORM } from "./units.ts";
export type { CheckResult, Verdict, Verify, VerifyRequest } from "./verdict.ts";
export { gateYaml, YAML_LIMITS } from "./yaml-gate.ts";
export { readYaml, type YamlPackage, type YamlText } from "./yaml-read.ts";
export type { YamlLimits } from "./yaml-scan.ts";
