import { configJsonSchema, explainConfig } from "../config/index.ts";
import { count, EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { executionModeBox, planJsonSchema } from "../plan/index.ts";
import { rebuildableText } from "../pool/index.ts";
import { decisionOf } from "../run/index.ts";
import { readPlanFrom } from "./plan-files.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

export async function check(shell: Shell, path: string): Promise<ExitCode> {
  const { plan } = await readPlanFrom(shell, path, []);
  shell.answer(`Plan ${plan.name}: ${count(plan.tasks.length, "task")}, nothing wrong.`, { name: plan.name, tasks: plan.tasks.length });
  return EXIT.ok;
}

export async function show(shell: Shell, path: string): Promise<ExitCode> {
  const { plan } = await readPlanFrom(shell, path, []);
  const { loaded } = await openPoolContext(shell);
  const decision = decisionOf(plan, loaded.config);
  shell.answer(executionModeBox(plan, decision, { width: shell.width, unicode: shell.unicode }), { plan: plan.name, ...decision });
  return EXIT.ok;
}

export async function config(shell: Shell): Promise<ExitCode> {
  const { loaded } = await openPoolContext(shell);
  const rebuilt = rebuildableText();
  shell.answer([...explainConfig(loaded), "", "Not saved at a release:", ...rebuilt].join("\n"), {
    config: loaded.config,
    origins: loaded.origins,
    path: loaded.path,
    rebuilt,
  });
  return EXIT.ok;
}

export async function schema(shell: Shell, which: string): Promise<ExitCode> {
  if (which !== "plan" && which !== "config") {
    throw new GraftworkError("USAGE", {
      message: `There is no schema named ${JSON.stringify(which)}.`,
      because: "schemas ship for `plan` and `config`.",
      try: "`graftwork schema plan > plan.schema.json`.",
    });
  }
  const schemaObject = which === "plan" ? planJsonSchema() : configJsonSchema();
  shell.answer(JSON.stringify(schemaObject, null, 2), { schema: schemaObject });
  return EXIT.ok;
}
