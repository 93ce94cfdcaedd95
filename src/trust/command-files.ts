import { posix } from "node:path";
import picomatch from "picomatch";
import { type Config, commandText } from "../domain/index.ts";

/**
 * Returns the words of approved commands that may be files of the repository. Covers the commands that set up slots, start agents
 * and regenerate files: a change to such a file changes what the user approved. Leaves out checks, whose purpose is to run the
 * work.
 */
export function commandFiles({ pool, merge, agents }: Pick<Config, "pool" | "merge" | "agents">): string[] {
  const commands = [
    ...(typeof pool.setup === "string" ? [] : pool.setup),
    ...Object.values(merge.generated),
    ...Object.values(agents.byName).flatMap(({ command, resume }) => [command, resume ?? []]),
  ];
  // A command's output file is not what it runs, and neither is a file that it regenerates.
  const words = commands.flatMap((command) =>
    commandText(command)
      .replace(/>+\s*[^\s;&|]+/g, " ")
      .split(/[\s'"`;&|<>()=]+/),
  );
  const isGenerated = picomatch(Object.keys(merge.generated), { dot: true });
  const paths = words.filter((word) => word !== "" && !word.startsWith("/")).map((word) => posix.normalize(word));
  return [...new Set(paths)].filter((path) => !path.startsWith("..") && !isGenerated(path));
}
