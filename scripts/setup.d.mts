/** Installs where needed, and builds where needed unless told not to. */
export function ensureReady(options?: { build?: boolean }): Promise<void>;
/** Bundles dist again where the sources have changed since. */
export function ensureBuilt(): Promise<void>;
export function installed(): boolean;
export const root: string;
