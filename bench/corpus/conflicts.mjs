/** The two-parent merges that a repository has, newest first: commit and parents. */
export function mergesOf({ run }) {
  const listed = run(["rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents"]);
  return listed.stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [merge, ours, theirs] = line.split(" ");
      return { merge, ours, theirs };
    });
}

/**
 * Those that git's own merge conflicts on, each with its conflicted paths and the blob of each stage (1 base, 2 ours,
 * 3 theirs). Git stops at a merge whose objects are missing: that one is left out, and the rest is asked for again.
 */
export function* conflictsAmong(git, merges) {
  const CHUNK = 200;
  for (let from = 0; from < merges.length; ) {
    const chunk = merges.slice(from, from + CHUNK);
    const pairs = chunk.map(({ ours, theirs }) => `${ours} ${theirs}\n`).join("");
    const { stdout } = git.run(["-c", "merge.conflictStyle=diff3", "merge-tree", "--write-tree", "--no-messages", "--stdin"], pairs);
    const records = recordsOf(stdout);
    for (const [n, record] of records.entries()) if (!record.clean) yield { ...chunk[n], tree: record.tree, files: record.files };
    from += Math.max(1, records.length === chunk.length ? chunk.length : records.length + 1);
  }
}

/** `1` or `0`, the tree, the stages of what conflicts, an empty field: each field ends with a zero byte. */
function recordsOf(bytes) {
  const fields = bytes.toString("utf8").split("\0");
  const records = [];
  for (let n = 0; n + 2 < fields.length; ) {
    const clean = fields[n] === "1";
    const tree = fields[n + 1];
    n += 2;
    const files = new Map();
    for (; fields[n] !== undefined && fields[n] !== ""; n++) {
      const [, mode, oid, stage, path] = /^(\d+) ([0-9a-f]+) ([123])\t(.*)$/s.exec(fields[n]) ?? [];
      if (path === undefined) break;
      const file = files.get(path) ?? { path, stages: {} };
      file.stages[stage] = { mode, oid };
      files.set(path, file);
    }
    while (fields[n] === "") n++;
    records.push({ clean, tree, files: [...files.values()] });
  }
  return records;
}
