import { expect, test } from "vitest";
import { runCli, tempRepo } from "../fixtures/index.ts";

test("eight acquires at once on eight slots, twenty rounds: 160 of 160, eight slots each time", async () => {
  const repo = tempRepo();
  const pool = (...args: readonly string[]) => runCli(args, { cwd: repo.dir, program: "pool-manager" });
  await pool("init", "8");
  let succeeded = 0;
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => pool("acquire", `r${round}-${n}`)));
    succeeded += answers.filter((answer) => answer.code === 0).length;
    const slots = answers.map((answer) => answer.stdout.split("|")[0] ?? "");
    expect(new Set(slots).size).toBe(8);
    const released = await Promise.all(slots.map((slot) => pool("release", slot)));
    expect(released.map((answer) => answer.code)).toEqual(Array(8).fill(0));
  }
  expect(succeeded).toBe(160);
  expect(await pool("health")).toMatchObject({ code: 0, stdout: expect.stringContaining("Pool health: OK") });
  expect(repo.git("branch", "--list", "auto/*").split("\n")).toHaveLength(160);
}, 600_000);
