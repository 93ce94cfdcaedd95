import { cleanLine, visibleText } from "../domain/index.ts";
import { plainPath } from "../git/index.ts";

/** What the page of a packet tells. `kind` and the rest are as in `packet.json`. */
export type PacketPage = {
  task: string;
  title: string;
  branch: string;
  target: string;
  reason: string;
  kind: string;
  paths: readonly string[];
  gitSays: readonly string[];
  oursChanged: readonly string[];
  tried: readonly string[];
  /** What only a person lets in. */
  protectedPaths: readonly { path: string; what: string }[];
};

/** Writes the page that a person reads first: what collided, what is in the folder, and the commands. */
export function readme(page: PacketPage): string {
  if (page.kind === "blocked") return blocked(page);
  if (page.kind === "unmergeable") return unmergeable(page);
  const { task, branch, target, kind, paths, gitSays, oursChanged, tried, protectedPaths } = page;
  return [
    ...(kind === "decision" ? decision(page) : paths.length > 0 ? collision(page) : namesCollide(page)),
    ...section("git says:", gitSays),
    ...section(
      "**Look at these before you say `--done`.** With it you let them in:",
      protectedPaths.map(({ path, what }) => `${shown(path)}: ${what}`),
    ),
    "",
    "## What is here",
    "",
    ...(paths.length === 0
      ? []
      : [
          "- `files/PATH` (or `files/PATH~COMMIT`, where git moved it aside): the file with conflict markers; `ours/PATH` (the target's), `theirs/PATH` (the task's) and `base/PATH` (before both)",
        ]),
    "- `ours.diff`, `theirs.diff`: what each side changed since they parted",
    ...section("On the target since then:", oursChanged),
    ...section("Tried already:", tried),
    "",
    "## How to go on",
    "",
    ...firstSteps(page),
    `2. \`graftwork resolve ${task} --done\` makes the merge on \`${branch}\`; it is verified like any branch.`,
    "3. `graftwork continue` lands it, and what depends on it.",
    "",
    `Or \`graftwork resolve ${task} --retry-agent\` (its agent tries again), or \`--skip\` (go on without it; the branch is kept).`,
    `Only tasks that depend on ${task} wait; ${target} is as it was.`,
    "",
  ].join("\n");
}

function blocked({ task, title, branch, reason }: PacketPage): string {
  return `# ${task} waits for a person\n\n**${cleanLine(title)}**\n\nIt stopped with: ${cleanLine(reason)}\n\nWhen that is settled: \`graftwork resolve ${task} --retry-agent\`, or \`--skip\` to go on without it, then \`graftwork continue\`.\n\nOr finish it yourself: commit on the branch \`${branch}\`, then \`graftwork resolve ${task} --done\` and \`graftwork continue\`. What its slot held and no commit has is in a rescue: \`pool-manager rescue list\`.\n`;
}

function unmergeable({ task, title, branch, target, reason, gitSays }: PacketPage): string {
  return `# ${task} cannot be merged\n\n**${cleanLine(title)}** (branch \`${branch}\`) and \`${target}\` have no history in common. It stopped with: ${cleanLine(reason)}\n\ngit says: ${gitSays.map(cleanLine).join(" ")}\n\n\`graftwork resolve ${task} --retry-agent\` does the task again on \`${target}\` as it is, \`--skip\` goes on without it; then \`graftwork continue\`. The branch is kept.\n`;
}

function decision({ task, title, branch, target, reason }: PacketPage): string[] {
  return [
    `# ${task} waits for your decision`,
    "",
    `git merges **${cleanLine(title)}** (branch \`${branch}\`) into \`${target}\` without a conflict. It was not merged: ${cleanLine(reason)}`,
  ];
}

function collision({ task, title, branch, target, kind, paths }: PacketPage): string[] {
  return [
    `# ${task} collides with what is on ${target} now`,
    "",
    `**${cleanLine(title)}** (branch \`${branch}\`) and \`${target}\` both changed ${paths.map((path) => `\`${shown(path)}\``).join(", ")} (${kind}). Merging one way or the other would lose one side's intent, so nothing was merged.`,
  ];
}

function namesCollide({ task, title, branch, target, kind }: PacketPage): string[] {
  return [
    `# ${task} collides with what is on ${target} now`,
    "",
    `**${cleanLine(title)}** (branch \`${branch}\`) and \`${target}\` collide in the names of files or folders (${kind}), not in their lines. git cannot tell where a file belongs, so nothing was merged.`,
  ];
}

function firstSteps({ task, kind, paths }: PacketPage): string[] {
  const open = `\`graftwork resolve ${task} --open\``;
  if (kind === "decision")
    return [`1. To look at the merge, or to change it: ${open} lays it out in a slot. To take it as git makes it, go on with 2.`];
  if (paths.length === 0)
    return [`1. ${open} lays the merge out in a slot. Move the files there to where they belong; if all are right, \`git commit\` there.`];
  return [
    `1. ${open} lays the merge out in a slot, with these markers; resolve it there. Or edit the files under \`files/\` here until no markers are left, or choose a side: \`graftwork resolve ${task} --ours PATH\`, \`--theirs PATH\`, \`--take-file PATH=FILE\`.`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, "", ...lines.map((line) => `- ${cleanLine(line)}`)];
}

/** A name with a line break, a backtick or a terminal's codes in it must not write a part of the page. */
function shown(path: string): string {
  const plain = plainPath(path);
  return cleanLine(plain) === plain && !plain.includes("`") ? plain : visibleText(JSON.stringify(plain)).replaceAll("`", "\\u0060");
}
