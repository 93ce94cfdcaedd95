import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writePacket } from "../../../src/merge/index.ts";
import type { TempRepo } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

// Made up from parts, so that no scanner takes this file for a leak.
const PEM = ["-----BEGIN", "PRIVATE", "KEY-----"].join(" ");
const KEY = ["AKIA", "QZ7WMPLE4XKTN2RB"].join("");

/** Makes a commit of the branch's files with more headers or another message than git would write. */
function rawCommit(repo: TempRepo, headers: string, message: string): void {
  const file = join(repo.parent, "commit");
  const person = "a <a@b> 1700000000 +0000";
  const parents = `tree ${repo.git("write-tree")}\nparent ${repo.git("rev-parse", "HEAD")}\n`;
  writeFileSync(file, `${parents}author ${person}\ncommitter ${person}\n${headers}\n${message}`);
  repo.git("reset", "-q", "--hard", repo.git("hash-object", "-t", "commit", "-w", "--literally", file));
}

/** Work on a branch of its own, made by `make`; returns what landed, and what a person is told. */
async function landing(make: (repo: TempRepo) => void, base: Record<string, string> = {}) {
  const { repo, context, events, candidate } = await bench({}, undefined, { "a.txt": "a\n", ...base });
  repo.git("switch", "-q", "-c", "auto/x");
  make(repo);
  repo.git("switch", "-q", "main");
  const { landed } = await mergeCandidates({ ...context, secrets: [{ name: "DB_PASSWORD", value: "correct-horse" }] }, [candidate("x")]);
  const conflict = events.find((event) => event.type === "conflict");
  return { landed, reason: conflict?.reason ?? "", person: conflict?.person };
}

test.each<[what: string, make: (repo: TempRepo) => void, told: string]>([
  ["a key in a file", (repo) => repo.commit({ "k.txt": `k = ${KEY}\n` }), "k.txt (what looks like an AWS access key)"],
  [
    "a value of a copied file",
    (repo) => repo.commit({ "s.ini": "url = postgres://app:correct-horse@db\n" }),
    "s.ini (the value of DB_PASSWORD)",
  ],
  ["a key that a later commit takes off", (repo) => (repo.commit({ "k.txt": KEY }), repo.commit({ "k.txt": null })), "k.txt (what looks"],
  ["a key in a message", (repo) => repo.commit({ b: "b" }, `use ${KEY}`), "a commit's message, author or header"],
  [
    "a key in a message before one without a line's end",
    (repo) => (repo.commit({ b: "b" }, `use ${KEY}`), repo.commit({ b: "c" }), rawCommit(repo, "", "no line's end")),
    "a commit's message, author or header",
  ],
  ["a key behind a NUL in a message", (repo) => rawCommit(repo, "", `short\0 ${KEY}\n`), "a commit's message, author or header"],
  ["a key in a header of its own", (repo) => rawCommit(repo, `x-note ${KEY}\n`, "m\n"), "a commit's message, author or header"],
  ["a key in a signature", (repo) => rawCommit(repo, `gpgsig a\n ${KEY}\n b\n`, "m\n"), "a commit's message, author or header"],
  [
    "a key in an author's name",
    (repo) => repo.git("-c", `user.name=${KEY}`, "commit", "-q", "--allow-empty", "-m", "x"),
    "a commit's message, author or header",
  ],
  ["a key in a file that is no text", (repo) => repo.commit({ "x.bin": `\0\u0001\0${KEY}\0` }), "x.bin (what looks"],
  ["a key in a file's name", (repo) => repo.commit({ [`${KEY}.txt`]: "x" }), "***.txt (what looks"],
  ["a key behind a line of two megabytes", (repo) => repo.commit({ long: `${"x".repeat(2 ** 21)} ${KEY}` }), "long (what looks"],
  ["a key in a line of minus signs", (repo) => repo.commit({ long: `${"-".repeat(3 * 2 ** 20)} ${KEY}` }), "long (what looks"],
  ["a key in a file's quoted name", (repo) => repo.commit({ [`a"${KEY}.txt`]: "x" }), 'a"***.txt (what looks'],
  [
    "a key in a file that is renamed and changed",
    (repo) => (repo.git("mv", "a.txt", "b.txt"), repo.commit({ "b.txt": `a\n${KEY}\n` })),
    "b.txt (what looks",
  ],
  [
    "a private key in place of another one",
    (repo) => repo.commit({ "key.pem": `${PEM}\nanother\n`, "old.pem": null }),
    "key.pem (what looks like a private key)",
  ],
  [
    "a key in what a merge makes",
    (repo) => {
      repo.commit({ b: "b\n" });
      repo.git("merge", "-q", "--no-ff", "--no-commit", "-s", "ours", "main~0");
      repo.commit({ "m.txt": KEY });
    },
    "m.txt (what looks",
  ],
])("work with %s waits for a person, who is not told the value", async (_, make, told) => {
  const { landed, reason, person } = await landing(make);
  expect([landed, person]).toEqual([[], true]);
  expect(reason).toContain(told);
  expect(reason).not.toContain(KEY);
  expect(reason).not.toContain("correct-horse");
});

test("work whose history .git/shallow cuts off waits for a person", async () => {
  const { landed, reason } = await landing((repo) => {
    repo.commit({ "k.txt": KEY });
    const cut = repo.commit({ "k.txt": null });
    const base = repo.git("rev-parse", "main");
    const merge = repo.git("commit-tree", "-p", base, "-p", cut, "-m", "merge", `${cut}^{tree}`);
    repo.git("reset", "-q", "--hard", merge);
    writeFileSync(join(repo.dir, ".git/shallow"), `${cut}\n`);
  });
  expect(landed).toEqual([]);
  expect(reason).toContain(".git/shallow");
});

test("what is no new secret lands: a key that the project has, or that is taken off, and its own example values", async () => {
  const base = { "test/key.txt": `${KEY}\n`, ".env.example": "DB_PASSWORD=correct-horse\n" };
  expect((await landing((repo) => repo.commit({ "test/key.txt": "none\n" }), base)).landed).toEqual(["x"]);
  expect((await landing((repo) => repo.commit({ "docs.md": "the example is correct-horse\n" }), base)).landed).toEqual(["x"]);
  const renamed = (repo: TempRepo) => (repo.git("mv", "test/key.txt", "test/keys.txt"), repo.git("commit", "-qm", "rename"));
  expect((await landing(renamed, base)).landed).toEqual(["x"]);
  expect((await landing((repo) => repo.commit({ "test/key.txt": `"${KEY}"\n` }), base)).landed).toEqual(["x"]);
  const renamedKey = (repo: TempRepo) => (repo.git("mv", "test/k.pem", "test/l.pem"), repo.git("commit", "-qm", "rename"));
  expect((await landing(renamedKey, { "test/k.pem": `${PEM}\nabc\n` })).landed).toEqual(["x"]);
  expect((await landing((repo) => repo.commit({ "plain.txt": "+ a\n- b\n@@ -1 +1 @@\ndiff --git a/x b/x\n" }))).landed).toEqual(["x"]);
});

test("work with a secret that also collides waits for the secret first, and no packet has a copy of the file", async () => {
  const { repo, context, events, candidate, packetOf } = await bench({ x: { "a.txt": `${KEY}\n`, "b.txt": "x\n" } }, undefined, {
    "a.txt": "a\n",
    "b.txt": "b\n",
  });
  const onto = repo.commit({ "a.txt": "other\n", "b.txt": "other\n" });
  expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
  expect(events.find(({ type }) => type === "conflict")).toMatchObject({
    person: true,
    reason: expect.stringContaining("it holds secrets"),
  });
  const packet = packetOf("x", onto);
  expect(await writePacket(context.repository, { ...packet, evenIfClean: true })).toBe(true);
  const files = readdirSync(packet.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  expect(files.map(({ name }) => name)).toContain("b.txt");
  expect(texts.filter((text) => text.includes(KEY))).toEqual([]);
});
