import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endAll } from "./processes.mjs";

const folders = new Set();

/** A folder for the time of `work`; it is gone afterwards, also where the benchmark is interrupted. */
export async function withFolder(work) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "graftwork-bench-")));
  folders.add(folder);
  try {
    return await work(folder);
  } finally {
    remove(folder);
  }
}

/** Ctrl-C and its like end what was started and remove what was made. */
export function removeAtSignals() {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      endAll();
      for (const folder of folders) remove(folder);
      process.exit(code);
    });
  }
}

function remove(folder) {
  // Programs that were just ended may still be writing.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  folders.delete(folder);
}
