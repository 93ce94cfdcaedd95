import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { stage } from "./stage.mjs";

const SLOTS = 30;
const FILES = 200;

/** Many acquires at once, each a process: one's share of the CPU against that of an acquire on its own. */
export async function burst({ output, rounds }) {
  await withFolder(async (folder) => {
    const place = await stage(folder, { files: FILES, slots: SLOTS });
    for (const size of [10, 30]) {
      await compare(output, {
        name: `burst of ${size} acquires on ${SLOTS} slots, ${FILES} files: CPU of one, wall of all`,
        rounds,
        async ours(round) {
          const tasks = Array.from({ length: size }, (_, index) => `s${size}-${round}-${index}`);
          // A failed acquire fails the script, so a figure means that all succeeded.
          const starts = tasks.map((task) => `${place.pool("acquire", task)} & all+=($!)`).join("\n");
          const sample = await place.time(
            `all=()\n${starts}\nfailed=0\nfor one in "\${all[@]}"; do wait "$one" || failed=1; done\n[ $failed = 0 ]`,
          );
          const slots = new Set(
            sample.stdout
              .trim()
              .split("\n")
              .map((line) => line.split("|")[0]),
          );
          if (slots.size !== size) throw new Error(`${slots.size} slots for ${size} tasks`);
          await place.bash(tasks.map((task) => place.pool("release", task)).join(" && "));
          return { cpu: sample.cpu / size, wall: sample.wall };
        },
        rivals: [
          {
            name: "a lone acquire",
            limit: { cpu: 1.3 },
            async run(round) {
              const task = `lone${size}-${round}`;
              const sample = await place.time(place.pool("acquire", task));
              await place.bash(place.pool("release", task));
              return sample;
            },
          },
        ],
      });
    }
  });
}
