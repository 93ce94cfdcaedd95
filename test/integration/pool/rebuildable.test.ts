import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rebuildableInSlot } from "../../../src/pool/rebuildable.ts";
import { runCli, tempFolder, tempRepo, writeFiles } from "../../fixtures/index.ts";

test("a slot's own files decide about a doubtful name, and none behind a link", () => {
  const path = tempFolder();
  writeFiles(path, {
    ".gitignore": "target/\nobj/\n",
    "Cargo.toml": "",
    "target/debug/a": "",
    "real/App.csproj": "",
    "real/obj/a": "",
    "real/bin/a": "",
  });
  symlinkSync(join(path, "real"), join(path, "linked"));
  const isRebuildable = rebuildableInSlot({ path });
  const asked = ["target/", "real/obj/", "real/bin/", "linked/obj/", "node_modules/", "real/"];
  expect(asked.filter(isRebuildable)).toEqual(["target/", "real/obj/", "node_modules/"]);
});

test("graftwork config shows the list", async () => {
  const { stdout } = await runCli(["config"], { cwd: tempRepo().dir });
  expect(stdout).toContain("Not saved at a release:\n  node_modules/, __pycache__/");
  expect(stdout).toContain("target/ beside Cargo.toml");
});
