/** How a resolved file compares to what people committed, the closest first. */
export const CLASSES = ["bytes", "white space", "order", "elsewhere", "different"];

/**
 * `bytes`: the same; `white space`: but for blanks and line breaks; `order`: the same lines in another order, final
 * commas aside; `elsewhere`: each hunk as people have it, who changed the file in other places too; else `different`.
 */
export function judge(text, people, placesEqual) {
  if (people === undefined) return "different";
  if (text === people) return "bytes";
  if (blankless(text) === blankless(people)) return "white space";
  if (sortedLines(text) === sortedLines(people)) return "order";
  return placesEqual() ? "elsewhere" : "different";
}

const blankless = (text) => text.replace(/\s+/g, "");

const sortedLines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim().replace(/,$/, ""))
    .filter((line) => line !== "")
    .sort()
    .join("\n");

/**
 * True where every hunk's result stands in people's file between the lines that git merged around it. Only lines next
 * to the hunk are compared, so that what people changed further away does not matter.
 */
export function hunksEqual(text, applied, people) {
  const CONTEXT = 2;
  const ours = text.split("\n");
  let from = 0;
  return applied.every(({ merged }) => {
    const lines = merged.join("").replace(/\n$/, "").split("\n");
    const at = indexOf(ours, lines, from);
    if (at < 0) return false;
    from = at + lines.length;
    const around = ours.slice(Math.max(0, at - CONTEXT), from + CONTEXT);
    return merged.length > 0 && `\n${people}\n`.includes(`\n${around.join("\n")}\n`);
  });
}

function indexOf(lines, wanted, from) {
  for (let at = from; at + wanted.length <= lines.length; at++) if (wanted.every((line, n) => line === lines[at + n])) return at;
  return -1;
}
