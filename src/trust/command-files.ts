import { posix } from "node:path";
import picomatch from "picomatch";
import { type Config, commandText } from "../domain/index.ts";

/**
 * Returns the words of commands that may be files of the repository: of those that set slots up, start agents and make files
 * anew. The user approved these commands, so who changes such a file changes what was approved. Checks are not among them: they
 * are there to run the work.
 */
export function commandFiles({ pool, merge, agents }: Pick<Config, "pool" | "merge" | "agents">): string[] {
  const commands = [
    ...(typeof pool.setup === "string" ? [] : pool.setup),
    ...Object.values(merge.generated),
    ...Object.values(agents.byName).flatMap(({ command, resume }) => [command, resume ?? []]),
  ];
  // What a command writes into is no part of it, nor is a file that it makes anew.
  const words = commands.flatMap((command) =>
    commandText(command)
      .replace(/>+\s*[^\s;&|]+/g, " ")
      .split(/[\s'"`;&|<>()=]+/),
  );
  const isGenerated = picomatch(Object.keys(merge.generated), { dot: true });
  const paths = words.filter((word) => word !== "" && !word.startsWith("/")).map((word) => posix.normalize(word));
  return [...new Set(paths)].filter((path) => !path.startsWith("..") && !isGenerated(path));
}
