import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../scripts/setup.mjs";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { quoted } from "../harness/timed.mjs";
import { stage } from "./stage.mjs";

const TASKS = 8;
const WORKER = fileURLToPath(new URL("library-worker.mjs", import.meta.url));
// Four times faster.
const LIMIT = { wall: 0.25 };

/** Several tasks from one process by the library, against a process that adds a worktree for each. */
export async function library({ output, rounds, sizes }) {
  for (const files of sizes) {
    // Eight new worktrees a round: beyond that nothing new is learnt.
    if (files > 10_000) continue;
    await withFolder(async (folder) => {
      const place = await stage(folder, { files, slots: TASKS });
      const one = async (way, names) => {
        const sample = await place.time(quoted(process.execPath, WORKER, way, join(root, "dist", "index.js"), folder, ...names));
        return { cpu: sample.cpu / TASKS, wall: Number(sample.stdout) / TASKS };
      };
      const named = (word, round) => Array.from({ length: TASKS }, (_, index) => `${word}-${round}-${index}`);
      await compare(output, {
        name: `library, ${files} files, per task of ${TASKS}`,
        rounds: files > 1_000 ? Math.min(rounds, 5) : rounds,
        async ours(round) {
          const tasks = named("task", round);
          const sample = await one("library", tasks);
          await place.bash(tasks.map((task) => place.pool("release", task)).join(" && "));
          return sample;
        },
        rivals: [
          {
            name: "`git worktree add -b`",
            limit: LIMIT,
            async run(round) {
              const branches = named("add", round);
              const sample = await one("git", branches);
              for (const branch of branches) await place.git("worktree", "remove", "--force", join(folder, branch));
              await place.git("branch", "-q", "-D", ...branches);
              return sample;
            },
          },
        ],
      });
    });
  }
}
