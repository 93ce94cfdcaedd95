export const isEmpty = (ch: string | undefined): boolean => ch === undefined || ch === " " || ch === "\n" || ch === "\t" || ch === "\r";
export const isFlowMark = (ch: string | undefined): boolean => ch === "," || ch === "[" || ch === "]" || ch === "{" || ch === "}";

/** A place in a YAML text that knows how to pass over what is not structure: space, tags, anchors and scalars. */
export class YamlCursor {
  readonly text: string;
  pos = 0;
  lineStart = 0;
  /** Indentation of the line, compact `- - ` included. */
  indent = 0;
  /** What the next line of a scalar needs to belong to it. */
  indentNext = 0;

  constructor(text: string) {
    this.text = text;
  }

  quoted(quote: string): void {
    let end = this.text.indexOf(quote, this.pos + 1);
    if (quote === "'") while (end !== -1 && this.text[end + 1] === "'") end = this.text.indexOf("'", end + 2);
    else while (end !== -1 && this.#isEscaped(end)) end = this.text.indexOf('"', end + 1);
    if (end === -1) {
      this.pos = this.text.length;
      return;
    }
    for (let nl = this.text.indexOf("\n", this.pos); nl !== -1 && nl < end; nl = this.text.indexOf("\n", nl)) {
      const next = this.#continues(nl + 1);
      if (next === -1) {
        // An unclosed quote: the parser ends it with its line, and so reads what follows as structure.
        this.pos = this.text[nl - 1] === "\r" ? nl - 1 : nl;
        return;
      }
      this.lineStart = nl + 1;
      nl = next;
    }
    this.pos = end + 1;
  }

  #isEscaped(end: number): boolean {
    let slashes = 0;
    while (this.text[end - 1 - slashes] === "\\") slashes++;
    return slashes % 2 === 1;
  }

  /** A plain scalar ends at `: `, ` #`, a line indented too little and, inside brackets, at their marks. */
  plain(inFlow: boolean): void {
    let end = this.pos - 1;
    let lineStart = this.lineStart;
    for (let i = this.pos; i < this.text.length; i++) {
      const ch = this.text[i];
      const next = this.text[i + 1];
      if (ch === ":") {
        if (isEmpty(next) || (inFlow && isFlowMark(next))) break;
      } else if (isEmpty(ch)) {
        if (ch === "\r" && next !== "\n") end = i;
        if (ch === "\r" && next === "\n") continue;
        if (next === "#" || (inFlow && isFlowMark(next))) break;
        if (ch === "\n") {
          const from = this.#continues(i + 1);
          if (from === -1) break;
          lineStart = i + 1;
          i = Math.max(i, from - 2);
        }
        continue;
      } else if (inFlow && isFlowMark(ch)) break;
      end = i;
      this.lineStart = lineStart;
    }
    this.pos = end + 1;
  }

  /** Passes over a block scalar: the lines after its header that are blank or indented enough. */
  blockScalar(): void {
    const header = /[|>][-+\d]*/y;
    header.lastIndex = this.pos;
    const marks = header.exec(this.text)?.[0] ?? "";
    const digit = /[1-9]/.exec(marks)?.[0];
    this.pos += marks.length;
    this.skip(" \t");
    this.skipLine();
    let [from, i] = [this.pos, this.pos];
    for (; this.text[i] === " " || (i < this.text.length && this.isLineEnd(i)); i++) if (this.text[i] === "\n") from = i + 1;
    const indent = i - from;
    if (indent < this.indentNext) return;
    if (digit === undefined) this.indentNext = indent;
    else this.indentNext = Number(digit) - 1 + (this.indentNext === 0 ? 1 : this.indentNext);
    while (this.pos < this.text.length && this.#continues(this.pos) !== -1) this.skipLine();
  }

  /** Where the line at `offset` begins after its indentation, or -1 where it does not belong to the scalar above. */
  #continues(offset: number): number {
    if (this.indentNext === 0) {
      const mark = this.text.substr(offset, 3);
      return (mark === "---" || mark === "...") && isEmpty(this.text[offset + 3]) ? -1 : offset;
    }
    let i = offset;
    while (this.text[i] === " ") i++;
    if (this.text[i] === "\r" && this.text[i + 1] === "\n") return i + 1;
    return this.text[i] === "\n" || i - offset >= this.indentNext ? i : -1;
  }

  skip(chars: " " | " \t"): number {
    const from = this.pos;
    while (this.text[this.pos] === " " || (chars === " \t" && this.text[this.pos] === "\t")) this.pos++;
    return this.pos - from;
  }

  skipUntilAnchorEnd(): void {
    while (!isEmpty(this.text[this.pos]) && !isFlowMark(this.text[this.pos])) this.pos++;
  }

  skipTag(): void {
    const isVerbatim = this.text[this.pos + 1] === "<";
    const part = isVerbatim ? /[^\s>]/ : /[\w\-#;/?:@&=+$.!~*'()%]/;
    this.pos += isVerbatim ? 2 : 1;
    for (let ch = this.text[this.pos]; ch !== undefined && part.test(ch); ch = this.text[this.pos]) this.pos++;
    if (isVerbatim && this.text[this.pos] === ">") this.pos++;
  }

  newline(): boolean {
    if (!this.isLineEnd(this.pos) || this.pos >= this.text.length) return false;
    this.skipLine();
    return true;
  }

  isLineEnd(i: number): boolean {
    return i >= this.text.length || this.text[i] === "\n" || (this.text[i] === "\r" && this.text[i + 1] === "\n");
  }

  lineEnd(): number {
    const end = this.text.indexOf("\n", this.pos);
    return end === -1 ? this.text.length : end;
  }

  skipLine(): void {
    this.pos = Math.min(this.lineEnd() + 1, this.text.length);
    this.lineStart = this.pos;
  }
}
