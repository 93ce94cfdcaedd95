import { type Check, cleanLine, cleanText } from "../domain/index.ts";
import { briefText, checksText, oneLine } from "./brief.ts";

export type ResolverBriefInput = {
  /** The text of `templates/prompts/resolver.md`, or of the user's own in its place. */
  template: string;
  task: { id: string; title: string; description: string };
  slotPath: string;
  branch: string;
  target: string;
  /** The conflicted files, and why no rule closed them. */
  files: readonly { path: string; kind: string; why: string }[];
  /** Tasks whose work the target got meanwhile, in these files. */
  others: readonly { id: string; title: string; description: string }[];
  /** Subjects of the commits on either side since they parted, newest first. */
  commits: { ours: readonly string[]; theirs: readonly string[] };
  checks: readonly Check[];
};

/**
 * The words that an agent is started with to resolve a conflict. What agents wrote (paths, subjects) is shown on one
 * line each. Throws CONFIG_INVALID where the template is not usable.
 */
export function buildResolverBrief(input: ResolverBriefInput): string {
  const { task, commits } = input;
  return briefText(input.template, {
    task_id: task.id,
    title: cleanLine(task.title),
    description: cleanText(task.description).trim(),
    slot: input.slotPath,
    branch: input.branch,
    target: input.target,
    files: input.files.map(({ path, kind, why }) => ({ file: oneLine(path), kind, why: oneLine(why) })),
    others: input.others.map((one) => ({
      other: one.id,
      other_title: cleanLine(one.title),
      other_description: cleanText(one.description).trim(),
    })),
    target_commits: commits.ours.map((subject) => ({ subject: oneLine(subject) })),
    task_commits: commits.theirs.map((subject) => ({ subject: oneLine(subject) })),
    checks: checksText(input.checks),
  });
}
