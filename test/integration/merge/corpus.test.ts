import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { git, hermeticEnv, tempFolder, tempRepo } from "../../fixtures/index.ts";

const script = fileURLToPath(new URL("../../../bench/corpus.mjs", import.meta.url));
const manifest = (version: string): string => `{\n  "version": "${version}"\n}\n`;

test("the merges that git conflicted on are done again, and compared with what people committed", () => {
  const repo = tempRepo({
    files: { "package.json": manifest("1.0.0"), "a.ts": "a();\nb();\n" },
    branches: {
      ours: { "package.json": manifest("1.0.1"), "a.ts": "A();\nb();\n" },
      theirs: { "package.json": manifest("1.0.2"), "a.ts": "a();\nB();\n" },
    },
  });
  git(repo.dir, "switch", "-q", "--detach", "ours");
  const decided = repo.commit({ "package.json": manifest("1.0.2"), "a.ts": "A();\nc();\n" });
  const merge = git(repo.dir, "commit-tree", `${decided}^{tree}`, "-p", "ours", "-p", "theirs", "-m", "merge");
  git(repo.dir, "update-ref", "refs/heads/merged", merge);
  const before = git(repo.dir, "count-objects");
  const differences = join(tempFolder("differences"), "kept");

  const asked = [script, "--repo", repo.dir, "--differences", differences];
  const { status, stdout, stderr } = spawnSync(process.execPath, asked, { encoding: "utf8", env: hermeticEnv() });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("## safe: 1 conflicted merges, 2 files, 1 resolved (50 %)");
  expect(stdout).toContain("| versions | 1 | 1 | 0 | 0 | 0 | 0 | 100 % |");
  expect(stdout).toContain("## assist: 1 conflicted merges, 2 files, 2 resolved (100 %)");
  expect(stdout).toContain("| adjacent | 1 | 0 | 0 | 0 | 0 | 1 | 0 % |");

  expect(existsSync(join(differences, "safe"))).toBe(false);
  const [folder = ""] = readdirSync(join(differences, "assist", "different"));
  expect(readFileSync(join(differences, "assist", "different", folder, "resolved"), "utf8")).toBe("A();\nB();\n");
  expect(git(repo.dir, "count-objects")).toBe(before);
});
