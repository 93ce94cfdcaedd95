// The demo: a plan of seven tasks on a small application, from the first command to the last, with everything that
// goes wrong on the way. Each command is run as it is shown, and the end is checked: it throws where the story is
// not the one it tells.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, "..", "..", "bin", "graftwork.js");

export const TASKS = ["offers", "suggest", "list", "json", "delivery", "tip", "cash-rounding"];

/** Settings of whoever calls that would change the story, a git or a test run that is under way among them. */
const NOT_PASSED_ON = /^(GIT_|GRAFTWORK_|POOL_|AUTO_PARALLEL_|HERMES_|NODE_TEST_|CLAUDE_CODE_TASK|FORCE_COLOR$|CI$)/;

/**
 * Runs the demo in `dir` (default: a new temporary folder) and tells it to `write`. Returns the folder, which stays
 * unless `clean` says otherwise; after a failure it stays in any case.
 */
export async function demo({ dir, clean = false, color = false, env = process.env, write }) {
  const folder = emptyFolder(dir);
  const story = storyteller({ folder, color, env, write });
  try {
    await tell(story, folder, clean);
  } catch (error) {
    write("\n");
    throw new Error(`${error.message}\n  everything is still there to look at: ${folder}`, { cause: error });
  }
  if (clean) {
    await story.quiet("chmod", ["-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    story.say(`Removed ${folder}.`);
  }
  return folder;
}

/** A repository with the sample application, the plan beside it and a first commit. */
export async function makeSample(folder, git) {
  const repository = join(folder, "kiosk");
  cpSync(join(here, "..", "sample"), repository, { recursive: true });
  // npm leaves files of these names out of packages.
  for (const name of ["gitignore", "npmrc"]) renameSync(join(repository, name), join(repository, `.${name}`));
  mkdirSync(join(repository, ".claude"));
  cpSync(join(here, "auto-context.yaml"), join(repository, ".claude", "auto-context.yaml"));
  cpSync(join(here, "plan.yaml"), join(repository, "plan.yaml"));
  cpSync(join(here, "drafts"), join(folder, "drafts"), { recursive: true });
  await git("init", "--quiet", "--initial-branch=main");
  await git("config", "user.name", "Demo Person");
  await git("config", "user.email", "demo@example.invalid");
  await git("config", "commit.gpgsign", "false");
  await git("add", "--all");
  await git("commit", "--quiet", "-m", "A kiosk that prices a basket");
  return repository;
}

async function tell(story, folder, clean) {
  const { chapter, say, write, shown, quiet, graftwork } = story;
  const begun = Date.now();
  const repository = join(folder, "kiosk");

  chapter("A small application");
  say(`A new repository in ${repository}: a kiosk that prices a basket of goods, with tests and its own dependencies.`);
  await makeSample(folder, (...args) => quiet("git", args));
  await shown("git", ["log", "--oneline"]);
  await shown("npm", ["ci"]);
  await shown("node", ["src/cli.js", "buy", "apple:3", "jam"]);

  chapter("The plan: seven tasks in two groups");
  say("The agents are mock agents, so no model is asked. They do real work all the same, and not all of it well:");
  say("- offers passes its tests where it works, thanks to a file that git ignores; QA looks at what git has");
  say("- suggest is killed in the middle of a file");
  say("- delivery, tip and cash-rounding all change the same line, and none has said so");
  await graftwork(["plan", "check", "plan.yaml"]);

  chapter("The run");
  const run = await graftwork(["run", "plan.yaml", "--yes"], { exit: 5 });
  say("Exit code 5: a person has to decide something. Everything else has landed.");
  const id = runOf(repository);
  const first = eventsOf(repository, id);
  expect(
    rejections(first, "offers") === 1 && attempts(first, "offers") === 2,
    "QA rejects the first attempt of offers, and takes the second",
  );
  expect(crashes(first, "suggest") === 1 && attempts(first, "suggest") === 2, "the agent of suggest crashes once");
  expect(conflicts(first, "tip") === 1 && landed(first, "tip"), "tip collides once, is done again and lands");
  expect(conflicts(first, "cash-rounding") === 2 && !landed(first, "cash-rounding"), "cash-rounding collides twice and waits for a person");
  expect(/cash-rounding/.test(run.output), "the run says who waits");
  say("What QA found in the fresh checkout was in the second brief of offers:");
  await shown("grep", ["-m", "1", "Error: ENOENT", join(".git", "graftwork", "runs", id, "briefs", "offers", "2.md")]);
  for (const task of TASKS.slice(0, -1)) expect(landed(first, task), `${task} has landed in spite of the conflict`);

  chapter("What a person decides");
  const packet = join(".claude", "conflicts", id, "cash-rounding");
  await shown("cat", [join(packet, "README.md")]);
  await shown("cat", [join(packet, "files", "src", "steps.js")]);
  say("Both belong on the receipt, and their order matters: rounded first and tipped after, coins could not pay the");
  say("total. No rule could know that, so nothing was guessed. The person puts the rounding last:");
  await shown("cat", ["../drafts/person/src/steps.js"]);
  await graftwork(["resolve", "cash-rounding", "--take-file", "src/steps.js=../drafts/person/src/steps.js"]);
  await graftwork(["resolve", "cash-rounding", "--done"]);
  await graftwork(["continue"]);

  chapter("What came of it");
  await shown("git", [...(story.color ? ["-c", "color.ui=always"] : []), "log", "--graph", "--oneline", "main"], {
    as: "git log --graph --oneline main",
  });
  const receipt = await shown("node", ["src/cli.js", "buy", "apple:3", "jam", "--delivery", "--tip", "10", "--cash"]);
  const tests = await quiet("npm", ["test"], { as: "npm test" });
  write(`${testSummary(tests.output)}\n`);
  const checkpoint = join(".claude", "auto-memory", "parallel-group-2-summary.md");
  await shown("cat", [checkpoint]);
  await graftwork(["status"]);
  await graftwork(["runs"]);
  say("An agent left a note in its slot that belongs to no commit. The slot is clean again, the note is not lost:");
  const rescues = await graftwork(["pool", "rescue", "list"]);

  const last = eventsOf(repository, id);
  const merged = (await quiet("git", ["log", "--first-parent", "--format=%(trailers:key=Graftwork-Task,valueonly)", "main"])).output;
  for (const task of TASKS) {
    expect(landed(last, task), `${task} has landed`);
    expect(merged.split("\n").includes(task), `main has a merge of ${task}`);
  }
  const { output: files } = await quiet("git", ["ls-tree", "-r", "--name-only", "main"]);
  for (const task of TASKS) expect(files.split("\n").includes(`test/${task}.test.js`), `main has the tests of ${task}`);
  expect(receipt.output.endsWith("Total        11.00\n"), "the receipt has all of it, rounded last");
  expect(rescues.output.includes("1 file"), "the note is in a rescue");
  const { output: dirty } = await quiet("git", ["status", "--porcelain"]);
  expect(dirty === "", `the checkout of main is clean, not:\n${dirty}`);

  chapter("Where to look");
  story.list([
    ["the repository", repository],
    ["its slots", join(folder, "kiosk.pool")],
    ["what the agents wrote", join(folder, "drafts")],
    ["checkpoints", join(repository, dirname(checkpoint))],
    ["the conflict", join(repository, packet)],
    ["journal, briefs, logs", runFolder(repository, id)],
  ]);
  if (!clean) say(`Go on there: \`graftwork\` is \`node ${program}\`; \`graftwork merge --undo ${id}\` takes it all back.`);
  say(`All seven tasks are in main and its tests pass, after ${Math.round((Date.now() - begun) / 1000)} s.`);
}

function emptyFolder(dir) {
  if (dir === undefined) return mkdtempSync(join(realpathSync(tmpdir()), "graftwork-demo-"));
  const folder = resolve(dir);
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty: name a new folder`);
  mkdirSync(folder, { recursive: true });
  return realpathSync(folder);
}

function storyteller({ folder, color, env, write }) {
  const repository = join(folder, "kiosk");
  const bold = (text) => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const childEnv = {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_PASSED_ON.test(name))),
    // Fresh checkouts and verdicts belong to the demo's folder too, and go with it.
    XDG_CACHE_HOME: join(folder, "cache"),
    XDG_STATE_HOME: join(folder, "state"),
    npm_config_loglevel: "error",
    GIT_PAGER: "cat",
    ...(color ? {} : { NO_COLOR: "1" }),
  };
  let number = 0;
  let before = "\n\n";
  let told = false;

  const put = (text) => {
    before = `${before}${text}`.slice(-2);
    write(text);
  };
  /** A blank line, where there is none yet. */
  const gap = () => put(before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n");
  /** Lines of the story's own follow each other, and stand apart from what commands print. */
  const say = (text) => {
    if (!told) gap();
    told = true;
    put(`${text}\n`);
  };
  const start = async (command, args, { exit = 0, as, show, extra = {} }) => {
    told = false;
    if (as !== undefined) {
      gap();
      put(`${bold(`$ ${as}`)}\n`);
    }
    const { code, output } = await run(command, args, { cwd: repository, env: { ...childEnv, ...extra } }, show ? put : () => undefined);
    if (code === exit) return { code, output };
    const words = as ?? typed([command, ...args]);
    throw new Error(`\`${words}\` ended with ${code} instead of ${exit}${show ? "" : `:\n${output.trim()}`}`);
  };

  return {
    color,
    say,
    write: put,
    chapter(title) {
      gap();
      put(`${bold(`== ${++number}. ${title}`)}\n\n`);
      told = true;
    },
    list(rows) {
      const width = Math.max(...rows.map(([name]) => name.length));
      for (const [name, value] of rows) put(`${name.padEnd(width)}  ${value}\n`);
      told = false;
    },
    /** A command with its output. */
    shown: (command, args, { as = typed([command, ...args]) } = {}) => start(command, args, { as, show: true }),
    quiet: (command, args, { as } = {}) => start(command, args, { as, show: false }),
    graftwork: (args, { exit = 0 } = {}) =>
      start(process.execPath, [program, ...args], {
        exit,
        as: typed(["graftwork", ...args]),
        show: true,
        extra: color ? { FORCE_COLOR: "1" } : {},
      }),
  };
}

const typed = (words) => words.map((word) => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`)).join(" ");

/** Ends with the program, whatever signal reaches both: what it says on its way out belongs to the story. */
function run(command, args, options, write) {
  return new Promise((done, failed) => {
    const wait = () => undefined;
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        write(text);
      });
    }
    process.on("SIGINT", wait);
    child.on("error", failed);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      done({ code: code ?? signal, output });
    });
  });
}

function expect(holds, what) {
  if (!holds) throw new Error(`the demo expected this and did not find it: ${what}`);
}

/** Node's reporter differs by version and terminal: the counts are what counts. */
function testSummary(output) {
  const of = (word) => Number(new RegExp(`^\\S* ?${word} (\\d+)$`, "m").exec(output)?.[1] ?? Number.NaN);
  expect(of("pass") > 0 && of("fail") === 0, "npm test passes in main");
  return `pass ${of("pass")}, fail ${of("fail")}`;
}

const runsFolder = (repository) => join(repository, ".git", "graftwork", "runs");
const runFolder = (repository, id) => join(runsFolder(repository), id);

function runOf(repository) {
  const runs = readdirSync(runsFolder(repository));
  expect(runs.length === 1, "there is one run");
  return runs[0];
}

/** What the run has said, in order: one file for each process that owned it. */
function eventsOf(repository, id) {
  const folder = runFolder(repository, id);
  return (
    readdirSync(folder)
      .filter((name) => /^journal\.\d+\.jsonl$/.test(name))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"))
      // Who owned the run for a look alone said nothing.
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .sort((a, b) => a.seq - b.seq)
      .map((line) => line.event)
  );
}

const of = (events, type, task) => events.filter((event) => event.type === type && event.task === task);
const attempts = (events, task) => of(events, "attempt-started", task).length;
const rejections = (events, task) => of(events, "verdict", task).filter((event) => event.verdict.decision === "rejected").length;
const crashes = (events, task) => of(events, "attempt-ended", task).filter((event) => event.outcome.failure === "crashed").length;
const conflicts = (events, task) => of(events, "conflict", task).length;
const landed = (events, task) => events.some((event) => event.type === "landed" && event.tasks.some((one) => one.task === task));
