import { StringDecoder } from "node:string_decoder";
import { LONGEST_PART, OVERLAP } from "../domain/index.ts";

/**
 * Parses the output of `git cat-file --batch`, given in chunks of any size. Calls `tell` with each object's text, in parts if
 * it is large. git prints each size first, so no content can end an object early. Stops at an answer that is no object.
 * `count` returns how many objects were read completely.
 */
export function objectReader(tell: (text: string) => void): { read: (chunk: Buffer) => void; count: () => number } {
  let head = "";
  let left = 0;
  let whole = 0;
  let isBroken = false;
  let open = "";
  let decoder = new StringDecoder("utf8");
  const readHead = (chunk: Buffer, at: number): number => {
    const end = chunk.indexOf("\n", at);
    head += chunk.toString("latin1", at, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    const size = /^[0-9a-f]{40,64} \w+ (\d+)$/.exec(head)?.[1];
    isBroken = size === undefined;
    // git writes a newline after each object.
    left = Number(size ?? 0) + 1;
    [head, open, decoder] = ["", "", new StringDecoder("utf8")];
    return end + 1;
  };
  const readBody = (part: Buffer): void => {
    left -= part.length;
    open += decoder.write(part);
    if (left > 0 && open.length < LONGEST_PART) return;
    tell(open);
    open = open.slice(-OVERLAP);
    if (left === 0) whole += 1;
  };
  return {
    read: (chunk) => {
      for (let at = 0; at < chunk.length && !isBroken; ) {
        if (left === 0) at = readHead(chunk, at);
        else {
          const part = chunk.subarray(at, at + left);
          at += part.length;
          readBody(part);
        }
      }
    },
    count: () => whole,
  };
}
