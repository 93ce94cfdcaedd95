export type LineSplitter = {
  add(chunk: Uint8Array): void;
  /** Hands on what is left after the last newline. */
  end(): void;
};

/**
 * Cuts a stream of bytes into lines of text, however it was chunked: a character split between two chunks stays
 * whole, invalid bytes become U+FFFD. Of a line longer than `maxBytes` nothing is handed on and nothing is kept.
 */
export function splitLines(maxBytes: number, onLine: (line: string) => void): LineSplitter {
  let parts: Uint8Array[] = [];
  let size = 0;
  const keep = (bytes: Uint8Array): void => {
    size += bytes.length;
    if (size > maxBytes) parts = [];
    // The chunk may be a window into a large shared buffer that would live as long as the part.
    else if (bytes.length > 0) parts.push(Uint8Array.from(bytes));
  };
  const finish = (): void => {
    if (size <= maxBytes) onLine(Buffer.concat(parts).toString("utf8").replace(/\r$/, ""));
    parts = [];
    size = 0;
  };
  return {
    add(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        keep(chunk.subarray(from, at));
        finish();
        from = at + 1;
      }
      keep(chunk.subarray(from));
    },
    end() {
      if (size > 0) finish();
    },
  };
}
