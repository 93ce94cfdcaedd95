import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { median } from "../harness/compare.mjs";
import { hermetic } from "../harness/environment.mjs";
import { withFolder } from "../harness/folders.mjs";
import { lastWords, oneLine } from "../harness/processes.mjs";
import { ADAPTERS } from "./adapters.mjs";
import { afterDeletedFolder, afterKill, afterKilledInit, afterRemove, atOnce, inSequence, WORK } from "./jobs.mjs";
import { mergeSix } from "./merge-six.mjs";
import { makePlace } from "./place.mjs";

const REPETITIONS = 3;
const KILLS = 4;
const FILES = 100;
const FILES_TO_KILL_IN = 3_000;

/** The same jobs for every tool that is there, or that is named; four tables, and why a tool is in none. */
export async function peers(output, tools) {
  const unknown = tools?.filter((name) => !ADAPTERS.some((adapter) => adapter.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`no tool ${unknown.join(", ")}; there are ${ADAPTERS.map(({ name }) => name).join(", ")}`);
  await withFolder(async (folder) => {
    const rows = { create: [], remove: [], accident: [], merge: [] };
    const notes = [];
    for (const adapter of ADAPTERS.filter(({ name }) => tools?.includes(name) ?? true)) {
      output.progress(`peers: ${adapter.name}`);
      const env = hermetic(join(folder, adapter.name.replaceAll(" ", "-")));
      try {
        const tool = await install(folder, adapter, env);
        await allJobs(folder, { name: adapter.name, tool, env, rows, notes });
      } catch (error) {
        notes.push(`${adapter.name}: skipped, ${oneLine(error.message)}`);
      }
    }
    print(output, rows, notes);
  });
}

async function install(folder, adapter, env) {
  const place = join(folder, "installed", adapter.name.replaceAll(" ", "-"));
  mkdirSync(place, { recursive: true });
  return adapter.install(place, env);
}

async function allJobs(folder, { name, tool, env, rows, notes }) {
  const inPlace = (files, work, slots) => withFolder(async (own) => work(await makePlace(own, { tool, env, files, slots })));
  /** A job that fails says why below the tables and leaves a dash in them. */
  const tried = async (job, work) => {
    try {
      return await work();
    } catch (error) {
      notes.push(`${name}, ${job}: not run, ${oneLine(error.message)}`);
      return undefined;
    }
  };
  // The first start of some tools looks for updates and writes their settings.
  await tried("first start", () => inPlace(FILES, inSequence));
  rows.create.push([name, tool.version, ...(await creations(inPlace, tried, notes, name))]);
  const kinds = [];
  for (const kind of Object.keys(WORK))
    kinds.push((await tried(kind, () => inPlace(FILES, (place) => afterRemove(place, kind), 1))) ?? "–");
  rows.remove.push([name, tool.removeIs, ...kinds]);
  const deleted = await tried("deleted folder", () => inPlace(FILES, afterDeletedFolder, 2));
  const repeated = async (job, work) => {
    const results = [];
    for (let attempt = 0; attempt < KILLS; attempt++) results.push(await tried(job, () => work(attempt)));
    return results.filter((result) => result !== undefined);
  };
  const killed = await repeated("killed create", (attempt) => inPlace(FILES_TO_KILL_IN, (place) => afterKill(place, attempt, KILLS), 2));
  const init =
    tool.init === undefined
      ? []
      : await repeated("killed init", (attempt) => inPlace(FILES_TO_KILL_IN, (place) => afterKilledInit(place, attempt), 0));
  for (const [job, results] of Object.entries({ "deleted folder": [deleted], "killed create": killed, "killed init": init }))
    for (const why of new Set(results.map((result) => result?.why).filter(Boolean))) notes.push(`${name}, ${job}: ${why}`);
  const ofInit = init.length === 0 ? "" : `; its init ${counted(init.map(({ word }) => word))}`;
  if (tool.merge !== undefined) rows.merge.push([name, tool.mergeIs, ...(await merges(inPlace, tried, notes, name))]);
  rows.accident.push([name, deleted?.word ?? "–", `${counted(killed.map(({ word }) => word))}${ofInit}`]);
}

async function creations(inPlace, tried, notes, name) {
  const medians = [];
  const bursts = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    medians.push(await tried("in sequence", () => inPlace(FILES, inSequence)));
    bursts.push(await tried("ten at once", () => inPlace(FILES, atOnce)));
  }
  const why = bursts.find((burst) => burst?.why)?.why;
  if (why !== undefined) notes.push(`${name}, ten at once: ${oneLine(lastWords(why))}`);
  const times = medians.filter((value) => value !== undefined);
  const each = (read) => bursts.map((burst) => (burst === undefined ? "–" : read(burst))).join(", ");
  return [
    times.length === 0 ? "–" : median(times).toFixed(0),
    each((burst) => burst.succeeded),
    each((burst) => (burst.wall / 1000).toFixed(1)),
    each((burst) => burst.orphans),
  ];
}

async function merges(inPlace, tried, notes, name) {
  const cells = [];
  for (const [job, isUnsaved] of Object.entries({ "six branches": false, "six branches, an unsaved file": true })) {
    const end = await tried(job, () => inPlace(FILES, (place) => mergeSix(place, { isUnsaved }), 6));
    cells.push(...(end === undefined ? ["–", "–", "–"] : [end.landed, end.main, end.checkout]));
    for (const why of new Set(end?.why)) notes.push(`${name}, ${job}: ${why}`);
  }
  return cells;
}

function counted(words) {
  const kinds = [...new Set(words)];
  return kinds.length === 0
    ? "–"
    : kinds.map((word) => `${word} (${words.filter((one) => one === word).length} of ${words.length})`).join(", ");
}

function print(output, rows, notes) {
  table(output, `Ten worktrees of ${FILES} files, ${REPETITIONS} times`, rows.create, [
    "tool",
    "version",
    "in sequence: ms each",
    "ten at once: succeeded",
    "s for the ten",
    "branches without a tree",
  ]);
  table(output, "What the tool's own remove, without force, does to work", rows.remove, ["tool", "its remove", ...Object.keys(WORK)]);
  table(output, "The same create again, after an accident", rows.accident, [
    "tool",
    "its folder was deleted",
    `it was killed while creating ${FILES_TO_KILL_IN} files`,
  ]);
  table(output, "Six branches merged, of which four can land and five are red", rows.merge, [
    "tool",
    "its merge",
    "landed",
    "main",
    "the user's checkout",
    "with an unsaved file: landed",
    "main",
    "the user's checkout",
  ]);
  if (notes.length > 0) output.line(`\n${[...new Set(notes)].map((note) => `- ${note}\n`).join("")}`);
}

function table(output, title, rows, head) {
  output.line(`\n${title}\n\n| ${head.join(" | ")} |\n|${"---|".repeat(head.length)}\n`);
  for (const row of rows) output.line(`| ${row.join(" | ")} |\n`);
}
