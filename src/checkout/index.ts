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
  registryEnvironment,
  runInstallScripts,
} from "./install.ts";
export { isRegenerable, type Regenerated, regenerateLockfile } from "./regenerate-lockfile.ts";
export { openUp } from "./remove-tree.ts";
export { openRoom, type Room, sweepRooms } from "./room.ts";
