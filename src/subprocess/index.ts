export { type CappedLog, openCappedLog } from "./capped-log.ts";
export { childEnvironment } from "./environment.ts";
export { failpoint, isSwitchedOff } from "./failpoint.ts";
export { identityOf, isRunning, livenessOf, systemUptime, type Uptime, uptimeMs } from "./identity.ts";
export { inherited, isStartedBy } from "./proc.ts";
export { abandonCommands, type Command, type CommandEnd, runCommand, startDetached } from "./run-command.ts";
export { findProcesses, type SweepTarget, sweepProcesses } from "./sweep.ts";
