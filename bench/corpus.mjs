// `npm run corpus -- --repo DIR [--repo DIR…]`: does the merges of a repository's history again that git conflicted on,
// and compares what the resolvers make of them with what people committed. docs/merge-quality.md says how to read it.
//   --rows FILE          only the merges of this table (columns repo and merge_sha, tabs), by the repository's name
//   --level safe         only this level (default: safe and assist)
//   --limit N            at most N conflicted merges a repository, chosen by their commit ids
//   --skip N             not the first N of them: what rules were made by is no judge of them
//   --differences DIR    writes base, ours, theirs, resolved and people's of each file that differs
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureReady } from "../scripts/setup.mjs";
import { conflictsAmong, mergesOf } from "./corpus/conflicts.mjs";
import { openReadOnly, readRows } from "./corpus/git-objects.mjs";
import { hunksEqual, judge } from "./corpus/judge.mjs";
import { share, table, tallies } from "./corpus/tables.mjs";

try {
  await main();
} catch (error) {
  process.stderr.write(`corpus: ${error.message}\n`);
  process.exitCode = 1;
}

async function main() {
  const { values } = parseArgs({
    options: {
      repo: { type: "string", multiple: true, default: [] },
      rows: { type: "string" },
      level: { type: "string" },
      limit: { type: "string", default: "100" },
      skip: { type: "string", default: "0" },
      differences: { type: "string" },
    },
  });
  if (values.repo.length === 0) throw new Error("which repository? --repo DIR");
  await ensureReady();
  const { resolveFile } = await import("../dist/index.js");
  const wanted = values.rows === undefined ? undefined : readRows(values.rows);
  const corpus = values.repo.map((repo) => ({ name: nameOf(repo), merges: conflictedMerges(repo, wanted, values) }));
  for (const level of values.level === undefined ? ["safe", "assist"] : [values.level]) {
    await report(level, corpus, (file) => resolveFile({ ...file, level }), values.differences);
  }
}

/** `x/express/.git`, `x/expressjs+express/repo` and `x/express` are all known to a table as express. */
function nameOf(repo) {
  const path = resolve(repo);
  const folder = /^(?:\.git|repo)$/.test(basename(path)) ? basename(dirname(path)) : basename(path);
  return folder.replace(/\.git$/, "").replace(/^.*\+/, "");
}

/** Each merge with its conflicted files as texts; people's merge that holds markers is no answer to compare with. */
function conflictedMerges(repo, rows, { limit, skip }) {
  const git = openReadOnly(repo);
  try {
    const named = rows === undefined ? undefined : new Set(rows.filter((row) => row.repo === nameOf(repo)).map((row) => row.merge_sha));
    const all = mergesOf(git).filter(({ merge }) => named === undefined || named.has(merge));
    const found = [...conflictsAmong(git, all)].sort((a, b) => (a.merge < b.merge ? -1 : 1));
    const chosen = found.slice(Number(skip), Number(skip) + Number(limit));
    return chosen.map((merge) => ({ ...merge, files: textsOf(git, merge) }));
  } finally {
    git.close();
  }
}

function textsOf(git, { merge, files }) {
  const none = "0".repeat(40);
  const names = files.flatMap(({ path, stages }) => [...["1", "2", "3"].map((n) => stages[n]?.oid ?? none), `${merge}:${path}`]);
  const blobs = git.blobs(names).map((blob) => blob?.toString("utf8"));
  return files
    .map(({ path }, n) => ({ path, base: blobs[4 * n], ours: blobs[4 * n + 1], theirs: blobs[4 * n + 2], people: blobs[4 * n + 3] }))
    .filter(({ people }) => people === undefined || !/^<{7} /m.test(people));
}

async function report(level, corpus, resolveOne, differences) {
  const counts = tallies();
  const declined = new Map();
  let files = 0;
  let taken = 0;
  const touched = new Set();
  const whole = new Set(corpus.flatMap(({ merges }) => merges.map(({ merge }) => merge)));
  const differing = new Set();
  for (const { name, merges } of corpus) {
    for (const { merge, files: conflicted } of merges) {
      for (const file of conflicted) {
        files++;
        const resolution = await resolveOne(file);
        if (resolution.kind === "declined") {
          const why = resolution.why.replace(/:.*/s, "");
          declined.set(why, (declined.get(why) ?? 0) + 1);
          whole.delete(merge);
          continue;
        }
        taken++;
        touched.add(merge);
        const { text, applied } = resolution;
        const outcome = judge(text, file.people, () => hunksEqual(text, applied, file.people));
        if (outcome === "different") differing.add(merge);
        const rules = [...new Set(applied.map(({ rule }) => rule))];
        for (const row of ["all", name, rules.length === 1 ? rules[0] : "several rules"]) counts.add(row, outcome);
        if (outcome !== "bytes" && differences !== undefined)
          keep(join(differences, level, outcome.replace(" ", "-")), name, merge, file, resolution);
      }
    }
  }
  const merges = corpus.reduce((sum, one) => sum + one.merges.length, 0);
  const names = corpus.map(({ name }) => name);
  const rules = counts.names().filter((name) => name !== "all" && !names.includes(name));
  process.stdout.write(
    `\n## ${level}: ${merges} conflicted merges, ${files} files, ${taken} resolved (${share(taken, files)})\n\n${table(counts, ["all", ...names, ...rules])}\n\nMerges with a resolved file: ${touched.size}, of these with one that differs: ${differing.size}. Wholly resolved: ${whole.size}, of these with one that differs: ${[...whole].filter((merge) => differing.has(merge)).length}.\n\nDeclined:\n`,
  );
  for (const [why, count] of [...declined].sort((a, b) => b[1] - a[1])) process.stdout.write(`- ${count} ${why}\n`);
}

function keep(folder, name, merge, { path, base, ours, theirs, people }, { text, applied }) {
  const place = join(folder, `${name}-${merge.slice(0, 10)}-${path.replace(/\W+/g, "-")}`);
  mkdirSync(place, { recursive: true });
  const hunks = applied.map(({ rule, hunk, merged }) =>
    [`# ${rule}`, "<<< base", ...hunk.base, "<<< ours", ...hunk.ours, "<<< theirs", ...hunk.theirs, "<<< resolved", ...merged]
      .map((line) => line.replace(/\n?$/, "\n"))
      .join(""),
  );
  const texts = { base, ours, theirs, resolved: text, people, hunks: `${path} in ${merge}\n${hunks.join("\n")}` };
  for (const [file, content] of Object.entries(texts)) if (content !== undefined) writeFileSync(join(place, file), content);
}
