import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../scripts/setup.mjs";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { quoted } from "../harness/timed.mjs";
import { stage } from "../pool/stage.mjs";

const BRANCHES = 20;
const WORKER = fileURLToPath(new URL("merge-worker.mjs", import.meta.url));

/** Independent branches merged into a checked-out target, all approved at once, against `git merge` of one after the other. */
export async function merges({ output, rounds, sizes }) {
  for (const files of sizes) {
    await withFolder(async (folder) => {
      const place = await stage(folder, { files, slots: 0, bytes: files > 10_000 ? 1_000 : 10_000 });
      const branches = await independentBranches(place);
      const base = await place.git("rev-parse", "main");
      const rival = join(folder, "rival");
      await place.git("worktree", "add", "-q", "-b", "rival", rival, "main");
      const one = async (way, target, checkout) => {
        await place.bash(quoted("git", "-C", checkout, "reset", "-q", "--hard", base));
        // Without its log the branch never held what the round before merged; else nothing would land again.
        await place.bash(quoted("git", "-C", checkout, "reflog", "expire", "--expire=all", `refs/heads/${target}`));
        const sample = await place.time(
          quoted(process.execPath, WORKER, way, join(root, "dist", "index.js"), checkout, target, ...branches),
        );
        return { cpu: sample.cpu, wall: Number(sample.stdout) };
      };
      await compare(output, {
        name: `merge of ${BRANCHES} independent branches, ${files} files, verification apart`,
        rounds: Math.min(rounds, 5),
        ours: () => one("library", "main", place.repo),
        rivals: [
          {
            name: `${BRANCHES} × \`git merge\` in a checkout`,
            limit: files > 10_000 ? { wall: 0.1 } : {},
            run: () => one("git", "rival", rival),
          },
        ],
      });
    });
  }
}

/** Each changes two files of its own and adds one. */
async function independentBranches(place) {
  const paths = (await place.git("ls-files")).split("\n").filter((path) => path.endsWith(".txt"));
  const branches = Array.from({ length: BRANCHES }, (_, n) => `work-${n}`);
  for (const [n, branch] of branches.entries()) {
    const [first, second] = [paths[2 * n], paths[2 * n + 1]];
    await place.bash(
      `git switch -q -c ${branch} main && echo changed >> ${first} && echo changed >> ${second} && echo new > new-${n} && git add -A && git commit -qm ${branch}`,
    );
  }
  await place.git("switch", "-q", "main");
  return branches;
}
