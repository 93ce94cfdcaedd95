import { rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { fileName } from "../harness/repository.mjs";
import { quoted } from "../harness/timed.mjs";
import { stage } from "./stage.mjs";

const BRANCHES = 32;
const FILES = 2_000;
const PAIRS = Array.from({ length: BRANCHES }, (_, b) => Array.from({ length: b }, (_, a) => [a, b])).flat();

/** `graftwork conflicts`, before and after it has merged the pairs, against a `git merge-tree` for each pair. */
export async function conflicts({ output, rounds }) {
  await withFolder(async (folder) => {
    const place = await stage(folder, { files: FILES, slots: BRANCHES, bytes: 1_000 });
    for (let task = 0; task < BRANCHES; task++) {
      const slot = await place.acquired(`task-${task}`);
      // Five files each, by steps that let some branches meet.
      const files = Array.from({ length: 5 }, (_, n) => fileName((task * 37 + n * (task + 11)) % FILES));
      await place.bash(`cd ${quoted(slot)} && for file in ${files.join(" ")}; do echo ${task} >> $file; done && git commit -qam ${task}`);
    }
    const predictions = join(place.repo, ".git", "graftwork", "predictions.json");
    const look = () => place.time(quoted(process.execPath, join(root, "bin", "graftwork.js"), "conflicts", "--json"));
    const merges = PAIRS.map(([a, b]) => `git merge-tree --write-tree auto/task-${a} auto/task-${b} > ../merged || [ $? = 1 ]`).join("\n");
    const rival = { name: "a `git merge-tree` for each pair", run: () => place.time(merges) };
    await compare(output, {
      name: `conflicts, ${BRANCHES} slots, ${FILES} files, first look`,
      rounds: Math.min(rounds, 5),
      ours() {
        rmSync(predictions, { force: true });
        return look();
      },
      rivals: [rival],
    });
    await compare(output, { name: "the same, nothing moved since", rounds: Math.min(rounds, 5), ours: look, rivals: [rival] });
  });
}
