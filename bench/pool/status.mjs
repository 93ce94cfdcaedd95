import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { BARE_NODE, stage } from "./stage.mjs";

/** `pool-manager status` must not grow with the slots that nobody uses. */
export async function status({ output, rounds }) {
  await withFolder(async (folder) => {
    const places = {};
    for (const slots of [8, 256]) {
      const place = await stage(folder, { files: 10, slots, name: `pool-${slots}` });
      for (const task of ["one", "two"]) await place.acquired(task);
      places[slots] = place;
    }
    const look = (slots) => places[slots].time(places[slots].pool("status"));
    await compare(output, {
      name: "status, 256 slots, 2 busy",
      rounds,
      ours: () => look(256),
      rivals: [{ name: "8 slots, 2 busy", limit: { cpu: 1.3 }, run: () => look(8) }],
    });
  });
}

/** What a verb costs before it does anything. */
export async function startUp({ output, rounds }) {
  await withFolder(async (folder) => {
    const place = await stage(folder, { files: 10, slots: 8 });
    await compare(output, {
      name: "start-up: status of an idle pool",
      rounds,
      ours: () => place.time(place.pool("status")),
      rivals: [{ name: "`node -e 0`", limit: { cpu: 1.2 }, run: () => place.time(BARE_NODE) }],
    });
  });
}
