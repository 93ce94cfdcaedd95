import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { must } from "./processes.mjs";

/** 10 kB each as in a repository of code; beyond 10,000 files 1 kB, or making them would take most of the time. */
export function bytesPerFile(files) {
  return files > 10_000 ? 1_000 : 10_000;
}

/** Where file `index` lies: a hundred files a folder. */
export function fileName(index) {
  return `src/part-${Math.floor(index / 100)}/file-${index % 100}.txt`;
}

/**
 * A repository with `main` checked out, and the branches `moved-1` and `moved-10`, in which one file in a hundred, or
 * in ten, has another content than in main.
 */
export async function makeRepository(path, { files, env, bytes = bytesPerFile(files) }) {
  mkdirSync(path, { recursive: true });
  const options = { cwd: path, env };
  await must("git", ["init", "-q", "-b", "main"], options);
  // A collection in the background would be in somebody's figures.
  await must("git", ["config", "gc.auto", "0"], options);
  await must("git", ["config", "maintenance.auto", "false"], options);
  await must("git", ["fast-import", "--quiet"], { ...options, input: Readable.from(history(files, bytes)) });
  await must("git", ["reset", "-q", "--hard", "main"], options);
  return path;
}

function* history(files, bytes) {
  yield commit("main", "first");
  yield inline(".gitignore", "/cache/\n*.local\n");
  for (let index = 0; index < files; index++) yield inline(fileName(index), content(index, bytes));
  for (const percent of [1, 10]) {
    yield `${commit(`moved-${percent}`, `${percent} % moved`)}from refs/heads/main\n`;
    for (const index of everyOf(files, percent)) yield inline(fileName(index), `moved\n${content(index, bytes)}`);
  }
  yield "done\n";
}

const commit = (branch, message) =>
  `commit refs/heads/${branch}\ncommitter bench <bench@example.invalid> 1700000000 +0000\ndata ${message.length}\n${message}\n`;
const inline = (path, text) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;

function content(index, bytes) {
  let text = "";
  for (let line = 0; text.length < bytes; line++) text += `export const value_${index}_${line} = ${index * 31 + line};\n`;
  return text.slice(0, bytes);
}

/** Indices of so many percent of the files, spread evenly; at least one. */
function everyOf(files, percent) {
  const count = Math.max(1, Math.round((files * percent) / 100));
  return Array.from({ length: count }, (_, at) => Math.floor((at * files) / count));
}

/** Modifies so many percent of the files of a checkout. */
export function modify(tree, files, percent) {
  for (const index of everyOf(files, percent)) appendFileSync(join(tree, fileName(index)), "changed\n");
}

/** Fills the ignored folder `cache/` of a checkout. */
export function fillIgnored(tree, count) {
  for (let index = 0; index < count; index++) {
    const folder = join(tree, "cache", `part-${Math.floor(index / 100)}`);
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.bin`), content(index, 1_000));
  }
}
