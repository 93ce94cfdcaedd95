/**
 * Names of files need not be UTF-8. As text, a byte that is none stands as U+DC00 + byte, alone: no valid text has
 * that, JSON keeps it, and the way back gives the same bytes. Without this, such a file would be looked for under
 * another name, not found, and lost.
 */
export function pathText(bytes: Buffer): string {
  const plain = bytes.toString("utf8");
  if (!plain.includes("\ufffd")) return plain;
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : bytes.toString("utf8", at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** A path as the file system and git take it: as it is, or its bytes where it is no UTF-8. */
export function pathBytes(text: string): string | Buffer {
  if (!ODD.test(text)) return text;
  return Buffer.concat(
    Array.from(text, (letter) => (ODD.test(letter) ? Buffer.from([letter.charCodeAt(0) - 0xdc00]) : Buffer.from(letter))),
  );
}

/** A path for a name of our own, where any file system will do: bytes that are no UTF-8 are written as `%E9`. */
export function plainPath(text: string): string {
  return text.replace(/[\udc80-\udcff]/gu, (letter) => `%${(letter.charCodeAt(0) - 0xdc00).toString(16).toUpperCase()}`);
}

/** The folders that a path is in, outermost first. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

const ODD = /[\udc80-\udcff]/u;

const strict = new TextDecoder("utf-8", { fatal: true });

/** Bytes of the letter that begins there; 0 where none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
