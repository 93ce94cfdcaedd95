import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { attemptsOf, modelApi, needClient, noting, stage } from "./model-client.ts";

test("the real codex cannot commit from its sandbox: what it leaves in the slot is committed for it, and lands", async (context) => {
  const program = needClient(context, "codex");
  const api = await modelApi({
    work: [
      { do: "bash", command: "mkdir -p src && echo right > src/feature.txt && git add -A && git commit -m 'by itself'" },
      { say: "The feature is there.\n<promise>READY_FOR_QA: t1</promise>" },
    ],
  });
  const codex = noting(program, "codex");
  const { repo, run } = stage([{ id: "t1", description: "[[script:work]] Add the feature." }], "codex");
  const home = join(repo.parent, "codex-home");
  mkdirSync(home);
  writeFileSync(
    join(home, "config.toml"),
    [
      'model = "scripted"',
      'model_provider = "loopback"',
      "[model_providers.loopback]",
      'name = "loopback"',
      `base_url = "${api.url}/v1"`,
      'wire_api = "responses"',
      'env_key = "CODEX_API_KEY"',
      "supports_websockets = false",
      "",
    ].join("\n"),
  );
  const end = await run({ PATH: `${codex.folder}:${process.env["PATH"]}`, CODEX_HOME: home, CODEX_API_KEY: "fake" });

  expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: t1") });
  expect(repo.git("show", "main:src/feature.txt")).toBe("right");
  const [attempt, ...others] = attemptsOf(repo, "t1");
  expect(others).toEqual([]);
  expect(attempt?.outcome).toMatchObject({ kind: "ready", notes: ["committed what the agent left uncommitted: src/feature.txt"] });
  expect(attempt?.usage).toMatchObject({ inputTokens: 2 * 1200, outputTokens: 2 * 80 });
  expect(repo.git("log", "-1", "--format=%an: %s%n%b", "main^2")).toMatch(/^Test Person: Task t1\n(?:.*\n)*Graftwork-Task: t1/);
  expect(repo.git("log", "--all", "--format=%s")).not.toContain("by itself");
  expect(repo.git("status", "--porcelain")).toBe("");
  expect(codex.starts()).toEqual([["exec", "--json", "--sandbox", "workspace-write"]]);
});
