import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTaskId } from "../../../src/domain/index.ts";
import {
  diffPlans,
  parsePlan,
  planDigest,
  planFromSubtasks,
  planFromTasksJson,
  planFromTitles,
  planJsonSchema,
} from "../../../src/plan/index.ts";
import { planOf, refusal, task } from "./plan-fixture.ts";
import { accepts } from "./schema-judge.ts";

describe("from titles", () => {
  test("each makes an independent task with an id of its own", () => {
    const plan = planFromTitles(["Fix the login!", "fix the LOGIN", "Ändere Übersicht", "日本語", " x "]);
    expect(plan.tasks.map(({ id }) => id)).toEqual(["fix-the-login", "fix-the-login-2", "andere-ubersicht", "task-4", "x"]);
    expect(plan).toMatchObject({
      name: "tasks",
      tasks: [{ title: "Fix the login!", description: "Fix the login!", contention: "FREE" }, {}, {}, {}, { title: "x" }],
    });
    expect(planFromTitles(["Fix it"]).name).toBe("fix-it");
  });

  test("any titles give usable ids, all different", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: "grapheme", minLength: 1 }).filter((title) => title.trim() !== ""),
          { minLength: 1 },
        ),
        (titles) => {
          const ids = planFromTitles(titles).tasks.map(({ id }) => id);
          expect(ids.filter((id) => !isTaskId(id))).toEqual([]);
          expect(new Set(ids).size).toBe(titles.length);
        },
      ),
    );
  });

  test("an empty one is refused", () => {
    expect(refusal(() => planFromTitles(["a", " "]))).toContain("needs a few words");
    expect(refusal(() => planFromTitles([]))).toContain("needs a few words");
  });
});

describe("from docs/tasks/subtask-*.md", () => {
  const file = (path: string, text: string) => ({ path: `docs/tasks/${path}`, text });

  test("front matter and body make a task, in the order of their numbers", () => {
    const plan = planFromSubtasks(
      [
        file("subtask-10.md", "---\nid: last\ngoal: The end\ndepends_on: [first]\nfiles: src/\nagent: codex\n---\n\nDo it.\n\n---\nmore\n"),
        file("subtask-2.md", "---\r\ngoal: Second\r\n---\r\n"),
        file("subtask-first.md", "---\nid: first\ngoal: x\n---\nBrief."),
      ],
      "tasks",
    );
    expect(plan.tasks).toEqual([
      task("2", { title: "Second", description: "Second" }),
      task("last", { title: "The end", description: "Do it.\n\n---\nmore", dependsOn: ["first"], files: ["src/**"], agent: "codex" }),
      task("first", { title: "x", description: "Brief." }),
    ]);
  });

  test("what is wrong is said with file and line, all at once", () => {
    const files = [
      file("subtask-a.md", "no front matter"),
      file("subtask-b.md", "---\nid: b\ngaol: x\ndepends_on: [nope]\n---\n"),
      file("subtask-c.md", "---\nid: B\ngoal: [1]\n---\n"),
      file("subtask-d.md", "---\nid: d\ndepends_on: [d]\n---\n"),
    ];
    expect(refusal(() => planFromSubtasks(files, "tasks")).split("\n")).toEqual([
      "docs/tasks/subtask-a.md:1:1 begins without front matter: `---`, the keys id, goal, depends_on, files, agent, and `---`",
      'docs/tasks/subtask-b.md:3:1 unknown key "gaol" (did you mean `goal`?)',
      "docs/tasks/subtask-b.md:4:14 `b` depends on `nope`, which is no task of this plan",
      "docs/tasks/subtask-c.md:3:7 `goal` must be text, not a list",
      "docs/tasks/subtask-d.md:3:14 `d` depends on itself",
    ]);
    expect(refusal(() => planFromSubtasks([], "tasks"))).toContain("no `subtask-*.md`");
  });
});

describe("from the ledger's tasks", () => {
  test("rows become tasks, EXCLUSIVE in doubt", () => {
    const plan = planFromTasksJson(
      '[{"task_id":"t1","brief":"Do this\\nand that","contention_class":"FREE"},{"task_id":"t2","brief":"x"}]',
      "batch",
    );
    expect(plan).toEqual({
      ...planOf(
        task("t1", { title: "Do this", description: "Do this\nand that" }),
        task("t2", { title: "x", description: "x", contention: "EXCLUSIVE" }),
      ),
      name: "batch",
    });
  });

  test.for<[text: string, because: string]>([
    ["[]", "has no tasks"],
    ["{}", "1:1 the document must be a list, not a map"],
    ['[{"task_id":"t"}]', "`[0].brief` is missing"],
    ['[{"task_id":1,"brief":"x"}]', "1:13 `[0].task_id` must be text"],
    ['[{"task_id":"t","brief":"x","class":"FREE"}]', '1:29 unknown key "class"'],
    ['[{"task_id":"t","brief":"x"},{"task_id":"T","brief":"x"}]', "1:41 `T` and `t` differ only in case"],
    ["[", "1:2 "],
  ])("%s is refused", ([text, because]) => {
    expect(refusal(() => planFromTasksJson(text, "tasks.json"))).toContain(because);
  });
});

describe("two plans", () => {
  const before = planOf(task("a", { files: ["x"], timeoutMs: 60_000 }), task("b"), task("c"));

  test("that say the same have one digest, whatever their text", () => {
    const one = parsePlan("tasks:\n  - id: a\n    files: [x]\n    title: a\n", { path: "p.yaml" });
    const two = parsePlan('{"tasks": [{"title": "a", "files": "./x", "id": "a"}], "version": 1}', { path: "p.json" });
    expect(planDigest(one)).toBe(planDigest(two));
    expect(planDigest(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(diffPlans(one, two)).toEqual([]);
  });

  test("that differ do so line by line", () => {
    const check = { name: "npm test", run: "npm test", timeoutMs: 1, history: false };
    const after = {
      ...planOf(task("c"), task("a", { files: ["x", "y"], timeoutMs: 120_000, description: "longer" }), task("d"), task("e")),
      base: "main",
      verification: [check],
    };
    expect(diffPlans(before, after)).toEqual([
      'base changed from none to "main"',
      "verification changed from none to npm test",
      "b: removed",
      "a: files changed from x to x, y",
      "a: timeout changed from 1 min to 2 min",
      "a: description changed",
      "d: added",
      "e: added",
      "the order of the tasks changed",
    ]);
    expect(planDigest(after)).not.toBe(planDigest(before));
  });

  test("any change of a check is told, even where its name stays", () => {
    const check = { name: "t", run: "npm test", timeoutMs: 1, history: false };
    const [one, two] = [check, { ...check, run: "true" }].map((c) => planOf(task("a", { verification: [c] })));
    expect(one !== undefined && two !== undefined && diffPlans(one, two)).toEqual(["a: verification changed"]);
  });
});

describe("the JSON Schema", () => {
  test.for<[text: string, isGood: boolean]>([
    ['{"tasks":[{"id":"a"}]}', true],
    [
      '{"version":1,"name":"n","base":null,"protect":"relaxed","tasks":[{"id":"a","files":"x","depends_on":[],"timeout":"1h30m","retries":0}]}',
      true,
    ],
    [
      '{"verification":["a",["b"],{"run":"c","timeout":"5m","history":true}],"tasks":[{"id":"a","verification":null,"work_type":"TESTING"}]}',
      true,
    ],
    ['{"tasks":[]}', false],
    ['{"tasks":[{}]}', false],
    ['{"tasks":[{"id":7}]}', false],
    ['{"tasks":[{"id":"a b"}]}', false],
    ['{"tasks":[{"id":"a","titel":"x"}]}', false],
    ['{"schedule":"groups","tasks":[{"id":"a"}]}', false],
    ['{"tasks":[{"id":"a","timeout":30}]}', false],
    ['{"tasks":[{"id":"a","timeout":"30"}]}', false],
    ['{"tasks":[{"id":"a","retries":1.5}]}', false],
    ['{"tasks":[{"id":"a","work_type":"backend"}]}', false],
    ['{"tasks":[{"id":"a","files":[1]}]}', false],
    ['{"verification":"npm test","tasks":[{"id":"a"}]}', false],
    ['{"verification":[{"name":"x"}],"tasks":[{"id":"a"}]}', false],
    ['{"verification":[[]],"tasks":[{"id":"a"}]}', false],
    ['{"version":2,"tasks":[{"id":"a"}]}', false],
  ])("judges %s as the parser does", ([text, isGood]) => {
    expect(accepts(planJsonSchema(), JSON.parse(text))).toBe(isGood);
    if (isGood) expect(parsePlan(text, { path: "p" }).tasks).toHaveLength(1);
    else expect(refusal(() => parsePlan(text, { path: "p" }))).not.toBe("");
  });

  test("names the keys that the parser knows, no other", () => {
    const unknown = refusal(() => parsePlan('{"tasks":[{"id":"a","?":1}],"?":1}', { path: "p" }));
    expect(unknown.split("\n")).toHaveLength(2);
    const { properties } = planJsonSchema() as { properties: Record<string, { items?: { properties?: object } }> };
    const all = Object.fromEntries(Object.keys(properties["tasks"]?.items?.properties ?? {}).map((key) => [key, null]));
    expect(
      parsePlan(
        JSON.stringify({ ...Object.fromEntries(Object.keys(properties).map((key) => [key, null])), tasks: [{ ...all, id: "a" }] }),
        { path: "p" },
      ).tasks,
    ).toHaveLength(1);
  });
});
