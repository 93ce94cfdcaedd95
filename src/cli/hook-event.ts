import { createHash } from "node:crypto";
import * as v from "valibot";
import { GraftworkError, isTaskId } from "../domain/index.ts";

/** Limit of an event, in bytes. */
const READ_AT_MOST = 2 ** 20;

/** Folder names go to the system, which accepts no NUL. */
const Name = v.pipe(v.string(), v.excludes("\0"));

/** The keys of an event that graftwork uses. The client sends more. */
const Event = v.object({
  session_id: v.optional(Name),
  cwd: v.optional(Name),
  name: v.optional(Name),
  worktree_path: v.optional(Name),
  agent_id: v.optional(Name),
});

/** An event of the client, which a hook gets on standard input. */
export type HookEvent = v.InferOutput<typeof Event>;

/** Reads a hook's event. Throws USAGE if the input is no event or has more than a mebibyte. */
export async function hookEvent(input: AsyncIterable<Uint8Array>): Promise<HookEvent> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > READ_AT_MOST) throw noEvent("it has more than a mebibyte");
    chunks.push(chunk);
  }
  try {
    return v.parse(Event, JSON.parse(Buffer.concat(chunks).toString("utf8")));
  } catch {
    throw noEvent("a hook is given one JSON object on standard input");
  }
}

function noEvent(because: string): GraftworkError {
  return new GraftworkError("USAGE", {
    message: "The hook's input is no event of the client.",
    because: `${because}.`,
    try: "let the client call it; docs/pool.md shows the settings.",
  });
}

/** Returns a valid task id for the name of a client's worktree. The same name always gives the same id. */
export function taskOfHook(name: string): string {
  if (isTaskId(name)) return name;
  const plain = name
    .slice(0, 500)
    .replace(/[^A-Za-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${plain === "" ? "worktree" : plain}-${createHash("sha256").update(name).digest("hex").slice(0, 8)}`;
}
