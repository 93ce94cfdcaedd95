/** Runs `work` while no other process holds the lock file `path`; `onWait` is called once where it has to wait. */
export function withLock<T>(path: string, work: () => Promise<T>, onWait: () => void): Promise<T>;
