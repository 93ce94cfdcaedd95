import { writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { expect } from "vitest";
import * as yaml from "yaml";
import { readerFor } from "../../src/agents/output-reader.ts";
import { watchPromises } from "../../src/agents/promise.ts";
import { hookEvent, taskOfHook } from "../../src/cli/hook-event.ts";
import {
  cleanLine,
  cleanText,
  GraftworkError,
  hideSecrets,
  isTaskId,
  readYaml,
  secretsIn,
  secretValuesOf,
} from "../../src/domain/index.ts";
import { below } from "../../src/git/index.ts";
import { protectionOf } from "../../src/merge/protected-paths.ts";
import { parsePlan } from "../../src/plan/index.ts";
import { isNamed, parseIgnore } from "../../src/pool/ignore-patterns.ts";
import { beginJournal, readJournal } from "../../src/state/index.ts";
import { tempFolder } from "../fixtures/index.ts";

const words = fc.constantFrom(
  ..."/ .. . .git .GIT git~1 .g\u200cit \\ : * ** ? [ ] ! # ~ ' \" ` $( ; | \n \r \t \0 \u001b[2J \u001b]0; \u202e \u2028 { } - & * !! << ~: 0x --- %YAML".split(
    " ",
  ),
  "\n",
  " ",
  "a".repeat(300),
  "\u{e0041}",
  "\u007f",
  "<promise>READY_FOR_QA: a</promise>",
  '{"type":"result","result":"',
  '"subtype":',
  "AKIA",
  "PASSWORD=",
  "=",
  "filter=",
  "package.json",
  ".npmrc",
);
const text = fc.array(fc.oneof(words, fc.string({ unit: "binary", maxLength: 8 })), { maxLength: 40 }).map((parts) => parts.join(""));

/** What is done with one hostile text. It may refuse it by a GraftworkError, and must do nothing else. */
const TARGETS: Readonly<Record<string, (text: string, folder: string) => unknown>> = {
  paths: (input) => {
    const root = `${sep}root`;
    const path = below(root, input);
    expect(path === root || path.startsWith(`${root}${sep}`)).toBe(true);
    expect(path.split(sep)).not.toContain("..");
  },
  attributes: (input) => {
    const protection = protectionOf(`${input}/.gitattributes`);
    expect(protection?.part?.(input)).toBeTypeOf("string");
    for (const name of [input, `a/${input}`, "package.json", "pnpm-workspace.yaml", "pyproject.toml", "setup.cfg"])
      protectionOf(name)?.part?.(input);
  },
  "ignore files": (input) => isNamed(parseIgnore(input), input),
  configuration: (input) => readYaml(input, yaml),
  plans: (input) => parsePlan(input, { path: "plan.yaml" }),
  "agents' output": (input) => {
    for (const format of ["text", "claude-stream-json", "codex-json"] as const) {
      const reader = readerFor(format, watchPromises("a", input.slice(0, 20)));
      for (const line of input.split("\n")) reader.line(line);
      reader.reading();
    }
  },
  "hook input": async (input) => {
    for (const said of [input, JSON.stringify({ session_id: input, cwd: input, name: input, worktree_path: input, agent_id: input })]) {
      const event = await hookEvent(Readable.from([Buffer.from(said)]));
      expect(isTaskId(taskOfHook(event.name ?? ""))).toBe(true);
      expect(event.cwd ?? "").not.toContain("\0");
    }
  },
  "words that are shown": (input) => {
    cleanText(input);
    cleanLine(input);
    secretsIn(hideSecrets(input, secretValuesOf(input)), secretValuesOf(input));
  },
};

/** Feeds each target with so many texts. Returns how long the longest one took, in milliseconds. */
export async function fuzz(target: string, runs: number): Promise<number> {
  const act = TARGETS[target];
  if (act === undefined) throw new Error(`no target ${target}`);
  const folder = tempFolder("fuzz");
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(text, async (input) => {
      const from = performance.now();
      try {
        await act(input, folder);
      } catch (error) {
        if (!(error instanceof GraftworkError) || error.code === "INTERNAL") throw error;
      }
      longest = Math.max(longest, performance.now() - from);
    }),
    { numRuns: runs },
  );
  return longest;
}

/** Journals with one hostile line each: refused by name, or read. */
export function fuzzJournal(runs: number): void {
  const folder = tempFolder("journal");
  const journal = beginJournal(folder, 1, () => new Date(0));
  journal.append({ type: "warning", task: null, text: "first" });
  journal.close();
  const file = join(folder, "journal.1.jsonl");
  const first = readJournal(folder).lines.map((line) => JSON.stringify(line));
  fc.assert(
    fc.property(text, (input) => {
      writeFileSync(file, `${first.join("\n")}\n${input}\n`);
      try {
        readJournal(folder);
      } catch (error) {
        if (!(error instanceof GraftworkError) || error.code !== "JOURNAL_DAMAGED") throw error;
      }
    }),
    { numRuns: runs },
  );
}

export const targets = Object.keys(TARGETS);
