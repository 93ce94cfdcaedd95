import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { withFolder } from "../harness/folders.mjs";
import { stage } from "../pool/stage.mjs";
import { candidate, merging, verdictOn } from "./merging.mjs";

/** Checks that wait and do not compute, so that the number of cores decides nothing. */
const VERIFICATION_MS = 1_000;
const SIZES = [1, 4, 16, 64];
const SLOTS = [1, 4, 8];
const BAD = [0, 0.05, 0.2];

const HEAD =
  "| branches | slots | bad | landed | verifications | wall, in verifications | one by one | limit | |\n|--:|--:|--:|--:|--:|--:|--:|---|---|\n";

/** Trains of branches of which some break with the others: how often is verified, and how long it takes. */
export async function train({ output }) {
  output.line(`\n${HEAD}`);
  const libraryFile = join(root, "dist", "index.js");
  for (const size of [...SIZES, 8]) {
    for (const slots of size === 8 ? [8] : SLOTS) {
      for (const bad of size === 8 ? [0] : BAD) {
        output.progress(`train of ${size}, ${slots} slots, ${bad * 100} % bad`);
        await withFolder(async (folder) => {
          const place = await stage(folder, { files: 200, slots: 0, bytes: 1_000 });
          const candidates = await branchesOf(place, size, Math.round(size * bad));
          let verifications = 0;
          const verify = async (request) => {
            verifications++;
            const [paths] = await Promise.all([
              place.git("ls-tree", "--name-only", request.commit),
              new Promise((done) => setTimeout(done, VERIFICATION_MS)),
            ]);
            return verdictOn(request, paths.includes("bad-") ? "rejected" : "approved");
          };
          const { land } = await merging({ libraryFile, checkout: place.repo, env: place.env, verify, slots });
          const start = performance.now();
          const landed = await land(candidates);
          const wall = (performance.now() - start) / VERIFICATION_MS;
          const limit = size === 8 ? ["≤ 1.3", wall <= 1.3 ? "held" : "**missed**"] : ["–", ""];
          output.line(
            `| ${[size, slots, `${bad * 100} %`, landed.length, verifications, wall.toFixed(2), size, ...limit].join(" | ")} |\n`,
          );
        });
      }
    }
  }
}

/** Every branch adds a file; the bad ones, spread evenly, one that makes any tree red. */
async function branchesOf(place, size, bad) {
  const isBad = new Set(Array.from({ length: bad }, (_, n) => Math.floor(((n + 0.5) * size) / bad)));
  const candidates = [];
  for (let n = 0; n < size; n++) {
    const branch = `work-${n}`;
    await place.bash(
      `git switch -q -c ${branch} main && echo new > ${isBad.has(n) ? "bad" : "good"}-${n} && git add -A && git commit -qm ${branch}`,
    );
    candidates.push(candidate(branch, await place.git("rev-parse", "HEAD")));
  }
  await place.git("switch", "-q", "main");
  return candidates;
}
