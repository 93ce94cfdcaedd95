import type { ConflictStage, MergeMessage, MergeSides, Oid } from "../git/index.ts";

/** Names the kind of conflict that the stages of one or more paths make. */
export function kindOf(stages: readonly ConflictStage[]): string {
  const kinds = [...new Set(stages.map(({ path }) => path))].map((path) => {
    const ofPath = stages.filter((stage) => stage.path === path);
    const sides = new Set(ofPath.map(({ stage }) => stage));
    if (ofPath.some(({ moved }) => moved !== undefined)) return sides.has(2) && sides.has(3) ? "distinct types" : "file/directory";
    if (sides.has(1) && sides.has(2) && sides.has(3)) return "content";
    if (!sides.has(1) && sides.size === 2) return "add/add";
    return sides.has(1) && sides.size === 2 ? "modify/delete" : "rename";
  });
  return together(kinds, "content");
}

/** Names the kind of a conflict without stages, by what git says: `directory-rename`, or git's own short name. */
export function kindOfNames(messages: readonly MergeMessage[]): string {
  const kinds = messages.map(({ kind }) => {
    if (kind.includes("directory rename")) return "directory-rename";
    return /^CONFLICT \((.+)\)$/.exec(kind)?.[1]?.replaceAll(" ", "-") ?? "names";
  });
  return together(kinds, "names");
}

function together(kinds: readonly string[], none: string): string {
  const different = [...new Set(kinds)].sort();
  return different.length === 0 ? none : different.join(", ");
}

/** Returns git's sentences about a conflict, with the sides' names in place of their commits. */
export function gitSays({ messages, sides }: { messages: readonly MergeMessage[]; sides: MergeSides }): string[] {
  // `FILE~COMMIT` is the name of a file in the merged tree.
  const name = (text: string, commit: Oid, side: string): string => text.replace(new RegExp(`(?<!~)\\b${commit}\\b`, "g"), side);
  return messages.map(({ text }) => name(name(text, sides.ours, "the target"), sides.theirs, "the task"));
}
