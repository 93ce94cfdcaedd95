import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hermeticEnv, type TempRepo } from "../../fixtures/index.ts";

/** What a person saved last in each file, and how often in all. */
export type Person = { saves: Map<string, string>; count: number };

/**
 * A person at work in the checkout until the coordinators have ended: saves files of the first `branches`,
 * which land, and of as many others, commits some of them, and has the garbage collected.
 */
export async function workBeside(repo: TempRepo, random: () => number, branches: number, ended: Promise<unknown>): Promise<Person> {
  const isHere = repo.git("branch", "--show-current") === "main";
  const commit = (...args: readonly string[]): Promise<void> => (isHere ? commitHere(repo, ...args) : moveTarget(repo));
  const person: Person = { saves: new Map(), count: 0 };
  let goesOn = true;
  const end = ended.then(() => (goesOn = false));
  const between = (): Promise<unknown> => Promise.race([delay(random() * 300), end]);
  while (goesOn) {
    const dice = random();
    if (dice < 0.05) await commit("--allow-empty");
    else if (dice < 0.15) await tryGit(repo, "gc", "-q", "--prune=now");
    else {
      const name = fileOf(dice < 0.6 ? branches + Math.floor(random() * branches) : Math.floor(random() * 2 * branches));
      const text = `saved ${++person.count}\n`;
      writeFileSync(join(repo.dir, name), text);
      person.saves.set(name, text);
      await delay(random() * 20);
      if (dice > 0.7) await commit("--", name);
    }
    await between();
  }
  return person;
}

export const fileOf = (n: number): string => `many/${n}.txt`;

/** What the log of the target says of a commit of the person's. */
export const BY_PERSON = "commit: by the person";

async function commitHere(repo: TempRepo, ...args: readonly string[]): Promise<void> {
  await tryGit(repo, "-c", "user.name=person", "-c", "user.email=p@example.invalid", "commit", "-q", "-m", "by the person", ...args);
}

/** Where the target is checked out nowhere: as a fetch moves it. */
async function moveTarget(repo: TempRepo): Promise<void> {
  const old = repo.git("rev-parse", "main");
  const made = repo.git("commit-tree", "-p", old, "-m", "by the person", `${old}^{tree}`);
  await tryGit(repo, "update-ref", "-m", BY_PERSON, "refs/heads/main", made, old);
}

/** A git of the person's may meet the index's lock: then it is refused, as beside any other git. */
async function tryGit(repo: TempRepo, ...args: readonly string[]): Promise<void> {
  await once(spawn("git", args, { cwd: repo.dir, env: hermeticEnv(), stdio: "ignore" }), "close");
}
