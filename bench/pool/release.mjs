import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { bytesPerFile, fileName, fillIgnored, modify } from "../harness/repository.mjs";
import { BARE_NODE, stage } from "./stage.mjs";

const LIMIT = { cpu: 1.3, wall: 1.3 };
const IGNORED = 5_000;

/** What a task left in its tree before the release. */
const STATES = {
  "clean lease": () => undefined,
  "lease with a commit": async (place, tree) => {
    appendFileSync(join(tree, fileName(0)), "work\n");
    await place.git("-C", tree, "commit", "-q", "-am", "work");
  },
  "1 % modified, rescued": (_place, tree, files) => modify(tree, files, 1),
  "10 % modified, rescued": (_place, tree, files) => modify(tree, files, 10),
  [`${IGNORED} ignored files, rescued`]: (_place, tree) => fillIgnored(tree, IGNORED),
};

/** `pool-manager release` against a reset and a clean after a bare Node, which save nothing. */
export async function release({ output, rounds, sizes }) {
  for (const files of sizes) {
    const few = files > 10_000 ? Math.min(rounds, 5) : rounds;
    await withFolder(async (folder) => {
      const place = await stage(folder, { files, slots: 1 });
      const tree = await place.warmTree();
      for (const [index, [state, leave]] of Object.entries(STATES).entries()) {
        const ignored = leave === STATES[`${IGNORED} ignored files, rescued`];
        if (ignored && files > 10_000) continue;
        await compare(output, {
          name: `release, ${files} files of ${bytesPerFile(files) / 1000} kB, ${state}`,
          rounds: ignored ? Math.min(few, 5) : few,
          async ours(round) {
            const task = `r${index}-${round}`;
            await leave(place, await place.acquired(task), files);
            return place.time(place.pool("release", task));
          },
          rivals: [
            {
              name: "floor",
              limit: LIMIT,
              async run(round) {
                await place.git("-C", tree, "checkout", "-q", "-B", `f${index}-${round}`, "main");
                await leave(place, tree, files);
                return place.time(`${BARE_NODE} && git reset -q --hard && git clean -qffdx`, tree);
              },
            },
          ],
        });
      }
    });
  }
}
