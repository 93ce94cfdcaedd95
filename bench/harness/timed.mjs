import { lastWords, oneLine, run } from "./processes.mjs";

// Bash's `time` reads the exact sum of the waited-for children in milliseconds; /proc and Node know ticks of 10 ms, or
// one process alone. What a program leaves running when it ends is in no figure.
const TIMER = `TIMEFORMAT="took %R %U %S"; time { eval "$1"; }`;

/**
 * Milliseconds of wall clock and of CPU (user and system, the whole tree of processes) that a shell script takes.
 * Bash's own start is in neither. A script that fails has no time: it throws.
 */
export async function timed(script, { cwd, env }) {
  const result = await run("bash", ["-c", TIMER, "bash", script], { cwd, env: { ...env, LC_ALL: "C" } });
  if (result.code !== 0) throw new Error(`\`${oneLine(script).slice(0, 100)}\` ${lastWords(result)}`);
  const [, ...seconds] = /took ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(result.stderr) ?? [];
  if (seconds.length !== 3) throw new Error(`bash gave no times for \`${oneLine(script).slice(0, 100)}\``);
  const [wall, user, system] = seconds.map((text) => Number(text) * 1000);
  return { wall, cpu: user + system, stdout: result.stdout };
}

/** A command as a shell reads it. */
export function quoted(...args) {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)).join(" ");
}
