export { cacheFolder, isWritable, judgingFolder, judgingFolders } from "./cache-folder.ts";
export type { FreshCheckout } from "./fresh-checkout.ts";
export {
  dependencyKey,
  type InstallPlan,
  type InstallRequest,
  type InstallResult,
  installDependencies,
  installedStamp,
  installPlan,
  LOCKFILES,
  packageManagerOf,
  registryEnvironment,
} from "./install.ts";
export { installProject } from "./install-project.ts";
export { installerCode } from "./installer-code.ts";
export { projectEnvironment, visibleEnvironment } from "./project-environment.ts";
export { isRegenerable, type Regenerated, regenerateLockfile } from "./regenerate-lockfile.ts";
export { openUp } from "./remove-tree.ts";
export { isRoom, openRoom, type Room, sweepRooms } from "./room.ts";
