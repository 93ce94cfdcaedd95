export { cacheFolder, type FreshCheckout, freshCheckout } from "./fresh-checkout.ts";
export { dependencyKey, installDependencies, type InstallPlan, installPlan, type InstallRequest, type InstallResult, installedStamp } from "./install.ts";
