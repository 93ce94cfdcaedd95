import { join } from "node:path";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { bytesPerFile } from "../harness/repository.mjs";
import { quoted } from "../harness/timed.mjs";
import { BARE_NODE, slotOf, stage } from "./stage.mjs";

const LIMIT = { cpu: 1.6, wall: 1.6 };

/** `pool-manager acquire` of a warm slot against the same two git commands after a bare Node, and a new worktree. */
export async function acquire({ output, rounds, sizes }) {
  for (const files of sizes) {
    const few = files > 10_000 ? Math.min(rounds, 5) : rounds;
    await withFolder(async (folder) => {
      // One slot: with two, the one that is at the wanted commit already would be taken.
      const place = await stage(folder, { files, slots: 1 });
      const tree = await place.warmTree();
      const label = `acquire, ${files} files of ${bytesPerFile(files) / 1000} kB`;
      const fresh = join(folder, "fresh");
      const added = { name: "`git worktree add -b`", run: (round) => addWorktree(place, fresh, `add-${round}`) };
      await compare(output, {
        name: label,
        rounds: few,
        ours: (round) => acquireOnce(place, `t${round}`, "main"),
        rivals: [{ name: "floor", limit: LIMIT, run: (round) => floorOnce(place, tree, `b${round}`, "main") }, added],
      });
      for (const percent of [1, 10]) {
        // To and fro between two commits: each round's base is the one that the slot is not at.
        const bases = ["main", `moved-${percent}`];
        await compare(output, {
          name: `${label}, base moved by ${percent} %`,
          rounds: few,
          ours: (round) => acquireOnce(place, `m${percent}-${round}`, bases[(round + 1) % 2], bases[round % 2]),
          rivals: [
            {
              name: "floor",
              limit: LIMIT,
              run: (round) => floorOnce(place, tree, `m${percent}-${round}`, bases[(round + 1) % 2], bases[round % 2]),
            },
          ],
        });
      }
    });
  }
}

async function acquireOnce(place, task, base, from) {
  if (from !== undefined) await parked(place, `${task}-before`, from);
  const command = place.pool("acquire", task, ...(base === "main" ? [] : [base]));
  const sample = await place.time(command);
  const slot = slotOf(sample.stdout);
  const [head, wanted] = [await place.git("-C", slot, "rev-parse", "HEAD"), await place.git("rev-parse", base)];
  if (head !== wanted) throw new Error(`the slot is at ${head} and not at ${base}`);
  await place.bash(place.pool("release", task));
  return sample;
}

/** Leaves the slot idle at a commit. */
async function parked(place, task, base) {
  await place.acquired(task, base);
  await place.bash(place.pool("release", task));
}

/** What nobody can do without: Node's start, the files and the branch, and nothing else in the folder. */
async function floorOnce(place, tree, branch, base, from = base) {
  await place.git("-C", tree, "checkout", "-q", "--detach", from);
  await place.git("-C", tree, "clean", "-qffdx");
  const sample = await place.time(`${BARE_NODE} && ${quoted("git", "checkout", "-q", "-f", "-B", branch, base)} && git clean -qffdx`, tree);
  await place.git("-C", tree, "checkout", "-q", "--detach");
  await place.git("branch", "-q", "-D", branch);
  return sample;
}

async function addWorktree(place, folder, branch) {
  const sample = await place.time(quoted("git", "worktree", "add", "-q", "-b", branch, folder, "main"));
  await place.git("worktree", "remove", "--force", folder);
  await place.git("branch", "-q", "-D", branch);
  return sample;
}
