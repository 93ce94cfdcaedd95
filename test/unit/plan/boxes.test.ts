import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cutToWidth,
  decide,
  displayWidth,
  drawBox,
  executionModeBox,
  fitWidth,
  progressBox,
  type TaskProgress,
} from "../../../src/plan/index.ts";
import { planOf, task } from "./plan-fixture.ts";

const limits = { enabled: true, minTasks: 3, maxAgents: 3 };
const five = planOf(
  task("styles", { files: ["globals.css", "tailwind.config"] }),
  task("sidebar", { files: ["sidebar.tsx"] }),
  task("header", { files: ["header.tsx"] }),
  task("stat-bar", { files: ["stat-bar.tsx"] }),
  task("onboarding", { files: ["onboarding.tsx"] }),
);
const wide = { width: 100, unicode: true };
const ascii = { width: 100, unicode: false };

describe("the execution mode", () => {
  test("PARALLEL looks as in the source document", () => {
    expect(`\n${executionModeBox(five, decide(five, limits), wide)}\n`).toBe(`
┌─────────────────────────────────────────────────────────────┐
│ ⚡ Execution Mode: PARALLEL                                 │
│    Tasks: 5 independent files detected                      │
│    Agents: 3 (limited by max_agents config)                 │
│                                                             │
│    Parallel Group 1:                                        │
│      ├── Agent 1: [worktree-1] globals.css, tailwind.config │
│      ├── Agent 2: [worktree-2] sidebar.tsx                  │
│      └── Agent 3: [worktree-3] header.tsx                   │
│                                                             │
│    Parallel Group 2 (after Group 1):                        │
│      ├── Agent 4: [worktree-4] stat-bar.tsx                 │
│      └── Agent 5: [worktree-5] onboarding.tsx               │
│                                                             │
│    Progress: [░░░░░░░░░░░░░░░░] 0/5 agents complete         │
└─────────────────────────────────────────────────────────────┘
`);
  });

  test("SEQUENTIAL looks as in the source document", () => {
    const two = planOf(task("types", { files: ["types.ts"] }), task("component", { files: ["component.tsx"], dependsOn: ["types"] }));
    expect(`\n${executionModeBox(two, decide(two, limits), wide)}\n`).toBe(`
┌──────────────────────────────────────────────────────────────┐
│ ⏸️ Execution Mode: SEQUENTIAL                                │
│    Reason: All 2 tasks wait for one another (min_tasks is 3) │
│    Order: types.ts → component.tsx                           │
│                                                              │
│    Skipping parallel orchestration (threshold not met)       │
└──────────────────────────────────────────────────────────────┘
`);
  });

  test("is drawn with ASCII where the terminal has no more, and cut to its width", () => {
    const plan = planOf(
      task("a", { files: ["src/components/sidebar/sidebar.tsx"] }),
      task("b", { title: "日本語のタスク" }),
      task("c", { files: ["c"] }),
    );
    const decision = decide(plan, { ...limits, maxAgents: 9 });
    expect(
      `\n${executionModeBox(plan, decision, { width: 48, unicode: false, slotsOf: (id) => (id === "c" ? null : `wt-${id}`) })}\n`,
    ).toBe(`
+----------------------------------------------+
| Execution Mode: PARALLEL                     |
|    Tasks: 3 independent files detected       |
|    Agents: 3                                 |
|                                              |
|    Parallel Group 1:                         |
|      |-- Agent 1: [wt-a] src/components/s... |
|      |-- Agent 2: [wt-b] 日本語のタスク      |
|      \`-- Agent 3: [worktree-3] c             |
|                                              |
|    Progress: [................] 0/3 agent... |
|                                              |
|    ! 1 task without \`files\`, taken to        |
|      overlap with none: b                    |
+----------------------------------------------+
`);
  });

  test("says how many tasks there are besides the independent ones, and what was switched off", () => {
    const more = planOf(...five.tasks, task("last", { dependsOn: ["header"] }));
    expect(executionModeBox(more, decide(more, limits), wide)).toContain("Tasks: 5 independent files detected (6 tasks in all)");
    const off = executionModeBox(five, decide(five, { ...limits, enabled: false }), wide);
    expect(off).toContain("Reason: parallelization.enabled is false");
    expect(off).toContain("Skipping parallel orchestration (switched off)");
  });

  test("of a large plan shows its beginning", () => {
    const many = planOf(...Array.from({ length: 500 }, (_, i) => task(`t${i}`, { files: [`f${i}`] })));
    const box = executionModeBox(many, decide(many, limits), wide);
    expect(box.split("\n").length).toBeLessThan(120);
    expect(box).toContain("and 440 more tasks in 167 groups");
    expect(executionModeBox(many, decide(many, { ...limits, enabled: false }), ascii).split("\n").length).toBeLessThan(20);
  });

  test("cannot be repainted by a title", () => {
    const bad = planOf(...["a", "b", "c"].map((id) => task(id, { title: "\u001b[2J\rx\ny\u202e" })));
    const box = executionModeBox(bad, decide(bad, limits), wide);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(box).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(new Set(box.split("\n").map(displayWidth)).size).toBe(1);
  });
});

describe("progress", () => {
  const states: Record<string, TaskProgress> = {
    styles: { state: "done" },
    sidebar: { state: "done" },
    header: { state: "done" },
    "stat-bar": { state: "running" },
    onboarding: { state: "running" },
  };
  const progressOf = (id: string): TaskProgress => states[id] ?? { state: "pending" };

  test("looks as in the source document", () => {
    expect(`\n${progressBox(five, decide(five, limits), { ...wide, progressOf })}\n`).toBe(`
┌─────────────────────────────────────────────────────────────┐
│ ⚡ Execution Mode: PARALLEL                                 │
│    Progress: [█████████░░░░░░░] 3/5 agents complete         │
│                                                             │
│    ✅ Agent 1: globals.css, tailwind.config (done)          │
│    ✅ Agent 2: sidebar.tsx (done)                           │
│    ✅ Agent 3: header.tsx (done)                            │
│    ⏳ Agent 4: stat-bar.tsx (in progress)                   │
│    ⏳ Agent 5: onboarding.tsx (in progress)                 │
└─────────────────────────────────────────────────────────────┘
`);
  });

  test("counts as complete only what is done, and names the rest", () => {
    const state = (id: string): TaskProgress =>
      (({ styles: { state: "failed" }, sidebar: { state: "skipped" }, header: { state: "waiting" } }) as const)[id] ?? {
        state: "running",
        text: "ready for qa",
      };
    const box = progressBox(five, decide(five, limits), { ...ascii, progressOf: state });
    expect(box).toContain("Progress: [................] 0/5 agents complete, 1 failed, 1 skipped, 1 waiting");
    expect(box).toContain("[!] Agent 1: globals.css, tailwind.config (failed)");
    expect(box).toContain("[?] Agent 3: header.tsx (waits for a person)");
    expect(box).toContain("[~] Agent 4: stat-bar.tsx (ready for qa)");
  });

  test("of a large plan shows what is going on", () => {
    const many = planOf(...Array.from({ length: 300 }, (_, i) => task(`t${i}`)));
    const box = progressBox(many, decide(many, limits), { ...wide, progressOf: (id) => ({ state: id === "t250" ? "running" : "done" }) });
    expect(box).toContain("Agent 251: t250 (in progress)");
    expect(box).toContain("and 299 more");
    expect(box).toContain("[███████████████░] 299/300");
  });
});

describe("widths", () => {
  test.for<[text: string, width: number]>([
    ["abc", 3],
    ["", 0],
    ["é", 1],
    ["e\u0301", 1],
    ["日本語", 6],
    ["한글", 4],
    ["⚡", 2],
    ["⏸️", 2],
    ["⏸", 1],
    ["✅❌⏳", 6],
    ["⚠️", 2],
    ["👨‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["ｆｕｌｌ", 8],
    ["→…░█", 4],
  ])("%j takes %i columns", ([text, width]) => {
    expect(displayWidth(text)).toBe(width);
  });

  test("cutting never splits a wide character", () => {
    expect(cutToWidth("日本語", 4)).toBe("日…");
    expect(fitWidth("日本語", 4)).toBe("日… ");
    expect(cutToWidth("abc", 2, "...")).toBe("..");
    expect(cutToWidth("abc", 3)).toBe("abc");
  });

  test("any text fits any width exactly, and any box has a straight edge", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, width) => {
        expect(displayWidth(fitWidth(text, width))).toBe(width);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 4 }),
        fc.integer({ min: 24, max: 120 }),
        fc.boolean(),
        (lines, width, unicode) => {
          const widths = drawBox(lines, { width, unicode }).split("\n").map(displayWidth);
          expect(new Set(widths).size).toBe(1);
          expect(widths[0]).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
