/** What is wrong with a JSON text: it does not parse, or a key stands twice in one object. Empty where nothing is. */
export function jsonDefects(text: string): string[] {
  try {
    JSON.parse(text);
  } catch {
    return ["it is no JSON any more"];
  }
  return repeatedKeys(text).map((path) => `the key ${path} stands twice`);
}

type Frame = { keys: Set<string> | undefined; path: string; key: string };

/** The paths of keys that an object has twice, of a text that is known to parse. */
function repeatedKeys(text: string): string[] {
  const repeated: string[] = [];
  const frames: Frame[] = [];
  let last: string | undefined;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    const frame = frames.at(-1);
    if (token === "{" || token === "[") {
      const path = frame === undefined ? "" : `${frame.path}${frame.key}.`;
      frames.push({ keys: token === "{" ? new Set() : undefined, path, key: "" });
    } else if (token === "}" || token === "]") frames.pop();
    else if (token === ":" && frame?.keys !== undefined && last !== undefined) {
      frame.key = String(JSON.parse(last));
      if (frame.keys.has(frame.key)) repeated.push(`${frame.path}${frame.key}`);
      frame.keys.add(frame.key);
    }
    last = token.startsWith('"') ? token : undefined;
  }
  return repeated;
}

/** Of these the order of keys means something: the first condition that fits is taken. */
const CONDITIONS = ["exports", "imports"];

/** Parts of a package.json that a merge has put together from both sides, though their order is a decision. */
export function mixedConditions(ours: string, theirs: string, merged: string): string[] {
  const [mine, other, whole] = [ours, theirs, merged].map(objectOf);
  return CONDITIONS.filter((key) => ![mine?.[key], other?.[key]].some((side) => JSON.stringify(side) === JSON.stringify(whole?.[key]))).map(
    (key) => `the conditions of ${key} come from both sides, and their order means something`,
  );
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
