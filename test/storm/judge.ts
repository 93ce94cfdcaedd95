import type { StormLine } from "./log.ts";

/** One acknowledged lease, as its holder's log has it. */
type Held = { token: number; slot: string; task: string; pid: number; from: number };

/** Everything in the logs of a storm that must not be, one line each. Pure: a made-up log shows that it can fail. */
export function judgeStorm(lines: readonly StormLine[]): string[] {
  const leases = leasesOf(lines);
  const endOf = endsOf(lines, leases);
  return [
    ...tokens(lines, leases),
    ...overlaps(leases, endOf, "slot"),
    ...overlaps(leases, endOf, "task"),
    ...lines.flatMap((line) => wrongLine(line, endOf)),
    ...unanswered(lines),
  ];
}

function leasesOf(lines: readonly StormLine[]): Held[] {
  return lines.flatMap(({ what, token, slot, task, pid, at }) =>
    what === "acquired" && token !== undefined && slot !== undefined && task !== undefined ? [{ token, slot, task, pid, from: at }] : [],
  );
}

/** From when on a lease's holder no longer believes in it, or has been put out: nothing later than that is its own. */
type EndOf = (token: number) => number;

function endsOf(lines: readonly StormLine[], leases: readonly Held[]): EndOf {
  const ends = new Map<number, number>();
  const end = (token: number | undefined, at: number): void => {
    if (token !== undefined) ends.set(token, Math.min(at, ends.get(token) ?? Number.POSITIVE_INFINITY));
  };
  const killedAt = new Map(lines.filter(({ what }) => what === "killed").map(({ pid, at }) => [pid, at]));
  for (const { token, pid } of leases) if (killedAt.has(pid)) end(token, killedAt.get(pid) ?? 0);
  for (const { what, token, at } of lines) if (what === "release" || what === "rob") end(token, at);
  return (token) => ends.get(token) ?? Number.POSITIVE_INFINITY;
}

function tokens(lines: readonly StormLine[], leases: readonly Held[]): string[] {
  const found: string[] = [];
  const owners = new Map<number, Held>();
  for (const lease of leases) {
    const other = owners.get(lease.token);
    if (other !== undefined) found.push(`token ${lease.token} was given twice: to ${other.pid} and ${lease.pid}`);
    owners.set(lease.token, lease);
  }
  // What was acknowledged before another was even asked for must be older than it.
  const asked = new Map<number, number>();
  let newest = 0;
  for (const { what, pid, token } of lines) {
    if (what === "acquire") asked.set(pid, newest);
    if (what !== "acquired" || token === undefined) continue;
    if (token <= (asked.get(pid) ?? 0)) found.push(`token ${token} was given after token ${asked.get(pid)}`);
    newest = Math.max(newest, token);
  }
  return found;
}

function overlaps(leases: readonly Held[], endOf: EndOf, by: "slot" | "task"): string[] {
  const found: string[] = [];
  const before = new Map<string, Held>();
  for (const lease of [...leases].sort((a, b) => a.token - b.token)) {
    const earlier = before.get(lease[by]);
    if (earlier !== undefined && endOf(earlier.token) > lease.from)
      found.push(`${by} ${lease[by]} had two holders: ${earlier.pid} by token ${earlier.token}, ${lease.pid} by token ${lease.token}`);
    before.set(lease[by], lease);
  }
  return found;
}

function wrongLine(line: StormLine, endOf: EndOf): string[] {
  const { what, token = 0, slot, at, text = "" } = line;
  const said = `${what} of ${slot ?? "the pool"} by ${line.pid}, token ${token}: ${text}`;
  switch (what) {
    case "failed":
    case "trampled":
    case "stale-release":
      return [said];
    case "fenced":
      return endOf(token) < at ? [] : [`${said} (nobody had ended that lease)`];
    case "stranger":
      return endOf(Number(text)) < at ? [] : [`${said} (its lease had not ended)`];
    default:
      return [];
  }
}

/** A release that was refused although nobody had robbed the lease leaves a slot that its owner cannot give back. */
function unanswered(lines: readonly StormLine[]): string[] {
  const robbed = new Set(lines.filter(({ what }) => what === "rob").map(({ token }) => token));
  const released = new Set(lines.filter(({ what }) => what === "release").map(({ token }) => token));
  return lines
    .filter(({ what, token, text }) => what === "refused" && released.has(token) && !robbed.has(token) && text !== "RESCUE_FAILED")
    .map(({ slot, token, text }) => `the release of ${slot} by token ${token} was refused: ${text}`);
}

/** Files that a worker had left in a slot when it was killed or fenced: each must be somewhere. */
export function orphanedFiles(lines: readonly StormLine[]): number[] {
  const taken = new Set(lines.filter(({ what }) => what === "leaving").map(({ token }) => token));
  for (const { what, text } of lines) if (what === "stranger") taken.add(Number(text));
  return lines.flatMap(({ what, token }) => (what === "wrote" && token !== undefined && !taken.has(token) ? [token] : []));
}
