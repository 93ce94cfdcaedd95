import { StringDecoder } from "node:string_decoder";
import { LONGEST_PART, OVERLAP } from "../domain/index.ts";

/**
 * Reads the answer of `git cat-file --batch`, in chunks of any size, and tells the text of each object, a large one in
 * parts. git says each size ahead, so nothing that an object holds can end it early. `count` is how many were read whole;
 * nothing is read behind an answer that is no object.
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
    // A line's end follows each object.
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
