import { appendFileSync } from "node:fs";

/**
 * Points at which a test may kill, stop or fail this program: one before and one after every write, every start of
 * a program and every change of a ref. `GRAFTWORK_FAILPOINT` is a comma-separated list of `point[@nth]=action`:
 * a point matches by its name or the beginning of it (`fs` is any write, `*` any point), `nth` counts the matches
 * from 1 (without it each one counts), and an action is `kill`, `stop`, `throw:CODE` or, for the point
 * `started.<program>` alone, `kill-child`. `GRAFTWORK_FAILPOINT_LOG` names a file that gets each point reached.
 */
type Rule = { point: string; nth: number; action: string; seen: number };

const rules: Rule[] = parseRules(process.env["GRAFTWORK_FAILPOINT"] ?? "");
const log = process.env["GRAFTWORK_FAILPOINT_LOG"];
const active = rules.length > 0 || log !== undefined;

function parseRules(text: string): Rule[] {
  return text
    .split(",")
    .filter((rule) => rule.includes("="))
    .map((rule) => {
      const [where = "", action = ""] = rule.split("=");
      const [point = "", nth = "0"] = where.split("@");
      return { point, nth: Number(nth), action, seen: 0 };
    });
}

/** Does nothing unless a test asked for something at this point. `child` is the program that was just started. */
export function failpoint(name: string, child?: number): void {
  if (!active) return;
  if (log !== undefined) appendFileSync(log, `${name}\n`);
  for (const rule of rules) {
    if (rule.point !== "*" && rule.point !== name && !name.startsWith(`${rule.point}.`)) continue;
    rule.seen += 1;
    if (rule.nth === 0 || rule.nth === rule.seen) act(rule.action, name, child);
  }
}

/** True where a test switched a part off: `waiting-room=off`. */
export function isSwitchedOff(part: string): boolean {
  return active && rules.some((rule) => rule.point === part && rule.action === "off");
}

function act(action: string, name: string, child: number | undefined): void {
  const [verb, value = ""] = action.split(":");
  if (verb === "kill") killSelf("SIGKILL");
  else if (verb === "stop") process.kill(process.pid, "SIGSTOP");
  else if (verb === "kill-child" && child !== undefined) process.kill(child, "SIGKILL");
  else if (verb === "throw") throw Object.assign(new Error(`${value}: asked for at ${name}`), { code: value, syscall: name });
}

/** Not one instruction of ours may follow. */
function killSelf(signal: NodeJS.Signals): void {
  process.kill(process.pid, signal);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
}
