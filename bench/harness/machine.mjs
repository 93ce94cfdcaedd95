import { statfsSync } from "node:fs";
import { cpus, loadavg, platform, release, tmpdir } from "node:os";
import { run } from "./processes.mjs";

/** What the figures were taken on, in one line; the load is what others did on it at the start. */
export async function machine() {
  const git = (await run("git", ["--version"])).stdout.trim();
  return `${cpus().length} cores, ${platform()} ${release()}, node ${process.version}, ${git}, file system ${await fileSystem(tmpdir())}, load ${loadavg()[0].toFixed(1)}`;
}

/** The name of a folder's file system; its magic number where no program tells. */
async function fileSystem(folder) {
  const { code, stdout } = await run("df", ["-PT", folder]).catch(() => ({ code: 1 }));
  const name = code === 0 ? stdout.trim().split("\n").at(-1).split(/\s+/)[1] : undefined;
  return name ?? `0x${statfsSync(folder).type.toString(16)}`;
}
