// `npm run lockfile`: run it after a change of dependencies. npm leaves out of the lock file what the registry at hand
// does not serve, and a partial mirror may lack the binaries of other platforms; `npm ci` then refuses the lock file
// as incomplete, everywhere. This adds those entries back (without a checksum, which only the registry could tell)
// and takes out addresses of registries.
import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));

const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"];

for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages) continue;
    lock.packages[`node_modules/${name}`] = platformEntry(name, version, entry.dev === true);
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => a.localeCompare(b, "en"))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);

function platformEntry(name, version, dev) {
  const words = name.split(/[/-]/);
  const system = SYSTEMS.find((one) => words.includes(one));
  const processor = PROCESSORS.find((one) => words.includes(one));
  const exact = /^\d+\.\d+\.\d+$/.test(version);
  if (!exact || system === undefined || processor === undefined)
    throw new Error(`cannot tell the platform or version of ${name}@${version}`);
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : undefined;
  return { version, cpu: [processor], ...(dev ? { dev } : {}), ...(libc ? { libc } : {}), optional: true, os: [system] };
}
