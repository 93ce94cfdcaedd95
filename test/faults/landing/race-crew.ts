import { type ChildProcess, spawn } from "node:child_process";
import { atEnd, bundled, hermeticEnv } from "../../fixtures/index.ts";
import type { RaceOrder } from "./race-worker.ts";

/** Sends an order to each of as many coordinators, all at once; returns what went wrong. */
export type Crew = (orders: readonly RaceOrder[]) => Promise<string[]>;

/**
 * Coordinators, each a process of its own, that stay for many races: starting Node costs more than a train does.
 * Whoever dies is replaced for the next one.
 */
export async function crewOf(size: number): Promise<Crew> {
  const program = await bundled(new URL("race-worker.ts", import.meta.url));
  const crew = Array.from({ length: size }, () => start(program));
  atEnd(() => {
    for (const { child } of crew) child.kill("SIGKILL");
  });
  return async (orders) => {
    const ends = orders.map(async (order, n) => {
      const one = crew[n];
      if (one === undefined) throw new Error(`${orders.length} orders for ${size} coordinators`);
      const problem = await obeyed(one, order);
      if (problem !== undefined) crew[n] = start(program);
      return problem === undefined ? [] : [`coordinator ${n} ${problem}`];
    });
    return (await Promise.all(ends)).flat();
  };
}

type Coordinator = { child: ChildProcess; said: () => string };

function start(program: string): Coordinator {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "ignore", "pipe", "ipc"], env: hermeticEnv() });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  return { child, said: () => said };
}

function obeyed({ child, said }: Coordinator, order: RaceOrder): Promise<string | undefined> {
  return new Promise((resolve) => {
    const hear = (): void => {
      child.off("close", end);
      resolve(undefined);
    };
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      child.off("message", hear);
      resolve(`ended with ${code ?? signal}: ${said().slice(0, 2000)}`);
    };
    child.once("message", hear).once("close", end);
    child.send(order);
  });
}
