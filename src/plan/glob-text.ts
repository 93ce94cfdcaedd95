/** What is wrong with a glob of `files`, or undefined. Paths are relative to the repository and stay inside it. */
export function globProblem(glob: string): string | undefined {
  if (glob.startsWith("/") || /^[A-Za-z]:[\\/]/.test(glob)) return "must be relative to the repository, without a leading `/`";
  // Backslashes are separators to some and escapes to others, and `(\\\\` sends the matcher into an endless loop.
  if (glob.includes("\\")) return "must be written with `/`, without backslashes";
  if (glob.length > 1000) return "must be no longer than 1000 characters";
  if (glob.startsWith("!") && !glob.startsWith("!(")) return "must name files to write: `!` takes nothing away here";
  if (glob.split("/").includes("..")) return "must stay inside the repository: no `..`";
  if (/[\n\r\t]/.test(glob)) return "must be one path or glob on one line";
  return undefined;
}

/** `./src//a.ts` as `src/a.ts`; a folder written with its slash, `src/`, as all that is in it. */
export function plainGlob(glob: string): string {
  const parts = glob
    .trim()
    .split("/")
    .filter((part, i, all) => part !== "." && (part !== "" || i === all.length - 1));
  if (parts.at(-1) === "") parts[parts.length - 1] = "**";
  return parts.length === 0 ? "**" : parts.join("/");
}
