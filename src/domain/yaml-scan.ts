import type { YamlLimits } from "./yaml-gate.ts";

const isEmpty = (ch: string | undefined): boolean => ch === undefined || ch === " " || ch === "\n" || ch === "\t" || ch === "\r";
const isFlowMark = (ch: string | undefined): boolean => ch === "," || ch === "[" || ch === "]" || ch === "{" || ch === "}";

/** Where the scan stands: between documents, at the start of a line, before a node of a block, inside brackets. */
type State = "stream" | "line" | "block" | "flow";
type Level = { column: number; kind: "map" | "list"; items: number };

/** The scan of one text for `gateYaml`; stops at the first limit passed. */
export class YamlScan {
  readonly #text: string;
  readonly #limits: YamlLimits;
  #pos = 0;
  #lineStart = 0;
  /** Indentation of the line, compact `- - ` included, and what a scalar's next line needs to belong to it. */
  #indent = 0;
  #indentNext = 0;
  readonly #levels: Level[] = [];
  /** Each open bracket: its commas, and the colons since the last, which nest like maps (`[a: b: c: d]`). */
  readonly #flow: { items: number; colons: number }[] = [];
  #colons = 0;
  /** Inside brackets: the node just read may be followed by `:` without a space. */
  #flowKey = false;
  /** Column of the node that a `:` would make a key; null: none since the last indicator. */
  #nodeColumn: number | null = null;
  /**
   * The line has had its `: `, or two nodes side by side. A further key on it (`a: b: c`) is an error that the parser
   * reports only after it has nested a map for it, which stays open for the lines below.
   */
  #crowded = false;
  #hasNode = false;
  #tabs = 0;
  #entries = 0;
  #problem: { message: string; offset: number } | null = null;

  constructor(text: string, limits: YamlLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  /** The first limit passed and where, or null. */
  run(): { message: string; offset: number } | null {
    if (this.#text.startsWith("\ufeff")) this.#pos = this.#lineStart = 1;
    let state: State = "stream";
    while (this.#problem === null && this.#pos < this.#text.length) {
      const before: number = this.#pos;
      const last: State = state;
      state = this.#step(state);
      // No rule stands still; should one, a character passed over is better than a scan that never ends.
      if (this.#pos === before && state === last) this.#pos++;
    }
    return this.#problem;
  }

  #step(state: State): State {
    if (state === "stream") return this.#stream();
    if (state === "line") return this.#line();
    return state === "block" ? this.#block() : this.#inFlow();
  }

  #stream(): State {
    let i = this.#pos;
    while (this.#text[i] === " " || this.#text[i] === "\t") i++;
    if (this.#text[this.#pos] !== "%" && this.#text[i] !== "#" && !this.#isLineEnd(i)) return "line";
    this.#skipLine();
    return "stream";
  }

  #line(): State {
    const mark = this.#text.substr(this.#pos, 3);
    if ((mark === "---" || mark === "...") && isEmpty(this.#text[this.#pos + 3])) {
      this.#pos += 3;
      this.#indent = this.#indentNext = this.#levels.length = 0;
      this.#nodeColumn = null;
      return mark === "---" ? "block" : "stream";
    }
    this.#indent = this.#skip(" ");
    this.#nodeColumn = null;
    this.#crowded = this.#hasNode = false;
    this.#tabs = 0;
    if (this.#indentNext > this.#indent && !isEmpty(this.#text[this.#pos + 1])) this.#indentNext = this.#indent;
    for (let ch = this.#text[this.#pos]; this.#isIndicator(ch); ch = this.#text[this.#pos]) {
      const from = this.#pos;
      this.#indicator(ch);
      this.#indentNext = this.#indent + 1;
      this.#indent += this.#pos - from;
    }
    return "block";
  }

  #block(): State {
    const skipped = this.#skip(" \t");
    if (this.#nodeColumn === null && !this.#crowded) this.#tabs += skipped;
    this.#properties();
    const ch = this.#text[this.#pos];
    if (ch === undefined || ch === "#" || this.#isLineEnd(this.#pos)) {
      this.#skipLine();
      return "line";
    }
    if (ch === "|" || ch === ">") return this.#blockScalar();
    this.#nodeColumn ??= this.#column();
    this.#crowded ||= this.#hasNode;
    this.#hasNode = true;
    if (ch === "[" || ch === "{") return this.#open();
    if (ch === "]" || ch === "}") this.#pos++;
    else if (ch === "*") this.#skipUntilAnchorEnd();
    else if (ch === '"' || ch === "'") this.#quoted(ch);
    else this.#plain();
    return "block";
  }

  #inFlow(): State {
    let lineIndent = -1;
    for (;;) {
      if (this.#newline()) lineIndent = this.#indent = this.#skip(" ");
      else if (this.#skip(" \t") === 0) break;
    }
    if (lineIndent !== -1 && this.#leavesFlow(lineIndent)) {
      this.#flow.length = this.#colons = 0;
      return "line";
    }
    for (let top = this.#flow.at(-1); top !== undefined && this.#text[this.#pos] === ","; top = this.#flow.at(-1)) {
      this.#colons -= Math.max(0, top.colons - 1);
      top.colons = 0;
      this.#count(++top.items);
      this.#pos++;
      this.#skip(" \t");
      this.#flowKey = false;
    }
    this.#properties();
    const ch = this.#text[this.#pos];
    if (ch === undefined || ch === "\n") return "flow";
    if (ch === "#") this.#pos = this.#lineEnd();
    else if (ch === "[" || ch === "{") return this.#open();
    else if (ch === "]" || ch === "}") return this.#close();
    else if (ch === "*") this.#skipUntilAnchorEnd();
    else if (ch === '"' || ch === "'") {
      this.#flowKey = true;
      this.#quoted(ch);
    } else if (ch === ":" && (this.#flowKey || isEmpty(this.#text[this.#pos + 1]) || this.#text[this.#pos + 1] === ",")) {
      this.#indicator(ch);
    } else {
      this.#flowKey = false;
      this.#plain();
    }
    return "flow";
  }

  /** True where a line inside brackets is indented too little to belong to them: the parser ends them there. */
  #leavesFlow(indent: number): boolean {
    const first = this.#text[this.#pos];
    const mark = this.#text.substr(this.#pos, 3);
    const isMarker = indent === 0 && (mark === "---" || mark === "...") && isEmpty(this.#text[this.#pos + 3]);
    if (!isMarker && !(indent < this.#indentNext && first !== "#")) return false;
    return !(indent === this.#indentNext - 1 && this.#flow.length === 1 && (first === "]" || first === "}"));
  }

  #open(): State {
    this.#flow.push({ items: 0, colons: 0 });
    this.#flowKey = false;
    this.#count(0);
    this.#pos++;
    return "flow";
  }

  #close(): State {
    this.#pos++;
    this.#colons -= Math.max(0, (this.#flow.pop()?.colons ?? 0) - 1);
    this.#flowKey = true;
    return this.#flow.length > 0 ? "flow" : "block";
  }

  /** Tags, anchors and the indicators `- `, `? `, `: ` before a node. */
  #properties(): void {
    for (;;) {
      const ch = this.#text[this.#pos];
      if (ch === "!" || ch === "&") {
        if (this.#flow.length === 0) this.#nodeColumn ??= this.#column();
        if (ch === "!") this.#skipTag();
        else this.#skipUntilAnchorEnd();
        this.#skip(" \t");
      } else if (this.#isIndicator(ch)) {
        if (this.#flow.length === 0) this.#indentNext = this.#indent + 1;
        this.#indicator(ch);
      } else return;
    }
  }

  #isIndicator(ch: string | undefined): ch is "-" | "?" | ":" {
    if (ch !== "-" && ch !== "?" && ch !== ":") return false;
    const next = this.#text[this.#pos + 1];
    return isEmpty(next) || (this.#flow.length > 0 && isFlowMark(next));
  }

  #indicator(ch: "-" | "?" | ":"): void {
    const bracket = this.#flow.at(-1);
    if (bracket !== undefined) {
      this.#flowKey = false;
      // A `- ` in brackets is an error that nests all the same.
      for (let n = ch === "-" ? 2 : ch === ":" ? 1 : 0; n > 0; n--) if (bracket.colons++ > 0) this.#colons++;
      this.#count(0);
    } else {
      const column = ch === ":" && this.#nodeColumn !== null ? this.#nodeColumn : this.#column();
      this.#crowded ||= this.#nodeColumn !== null && ch !== ":";
      if (this.#crowded) this.#nestForGood();
      else this.#enter(column, ch === "-" ? "list" : "map");
      this.#count(this.#levels.at(-1)?.items ?? 0);
      this.#crowded ||= ch === ":";
      this.#hasNode = false;
    }
    this.#nodeColumn = null;
    this.#pos++;
    this.#skip(" \t");
  }

  /** What the parser nests for text it will report as an error stays open until a line is indented less. */
  #nestForGood(): void {
    this.#levels.push({ column: this.#levels.at(-1)?.column ?? 0, kind: "map", items: 0 });
  }

  /** A list may stand at the column of the key that holds it; apart from that, deeper means further right. */
  #enter(column: number, kind: Level["kind"]): void {
    for (let top = this.#levels.at(-1); top !== undefined; top = this.#levels.at(-1)) {
      if (top.column < column || (top.column === column && (kind === "list" || top.kind === "map"))) break;
      this.#levels.pop();
    }
    let level = this.#levels.at(-1);
    if (level === undefined || level.column !== column || level.kind !== kind) {
      level = { column, kind, items: 0 };
      this.#levels.push(level);
    }
    level.items++;
  }

  #count(items: number): void {
    const { depth, items: itemsMax, entries } = this.#limits;
    this.#entries++;
    if (this.#levels.length + this.#flow.length + this.#colons > depth) this.#fail(`nested deeper than ${depth} levels`);
    else if (items > itemsMax) this.#fail(`more than ${itemsMax} entries in one list or map`);
    else if (this.#entries > entries) this.#fail(`more than ${entries} entries in all`);
  }

  #fail(message: string): void {
    this.#problem ??= { message, offset: this.#pos };
  }

  #quoted(quote: string): void {
    let end = this.#text.indexOf(quote, this.#pos + 1);
    if (quote === "'") while (end !== -1 && this.#text[end + 1] === "'") end = this.#text.indexOf("'", end + 2);
    else while (end !== -1 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) {
      this.#pos = this.#text.length;
      return;
    }
    for (let nl = this.#text.indexOf("\n", this.#pos); nl !== -1 && nl < end; nl = this.#text.indexOf("\n", nl)) {
      const next = this.#continues(nl + 1);
      if (next === -1) {
        // An unclosed quote: the parser ends it with its line, and so reads what follows as structure.
        this.#pos = this.#text[nl - 1] === "\r" ? nl - 1 : nl;
        return;
      }
      this.#lineStart = nl + 1;
      nl = next;
    }
    this.#pos = end + 1;
  }

  #isEscaped(end: number): boolean {
    let slashes = 0;
    while (this.#text[end - 1 - slashes] === "\\") slashes++;
    return slashes % 2 === 1;
  }

  /** A plain scalar ends at `: `, ` #`, a line indented too little and, inside brackets, at their marks. */
  #plain(): void {
    const inFlow = this.#flow.length > 0;
    let end = this.#pos - 1;
    let lineStart = this.#lineStart;
    for (let i = this.#pos; i < this.#text.length; i++) {
      const ch = this.#text[i];
      const next = this.#text[i + 1];
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
      this.#lineStart = lineStart;
    }
    this.#pos = end + 1;
  }

  /** Passes over a block scalar: the lines after its header that are blank or indented enough. */
  #blockScalar(): State {
    const header = /[|>][-+\d]*/y;
    header.lastIndex = this.#pos;
    const marks = header.exec(this.#text)?.[0] ?? "";
    const digit = /[1-9]/.exec(marks)?.[0];
    this.#pos += marks.length;
    this.#skip(" \t");
    if (this.#text[this.#pos] !== "#" && !this.#isLineEnd(this.#pos)) this.#nestForGood();
    this.#count(0);
    this.#skipLine();
    let [from, i] = [this.#pos, this.#pos];
    for (; this.#text[i] === " " || (i < this.#text.length && this.#isLineEnd(i)); i++) if (this.#text[i] === "\n") from = i + 1;
    const indent = i - from;
    if (indent < this.#indentNext) return "line";
    if (digit === undefined) this.#indentNext = indent;
    else this.#indentNext = Number(digit) - 1 + (this.#indentNext === 0 ? 1 : this.#indentNext);
    while (this.#pos < this.#text.length && this.#continues(this.#pos) !== -1) this.#skipLine();
    return "line";
  }

  /** Where the line at `offset` begins after its indentation, or -1 where it does not belong to the scalar above. */
  #continues(offset: number): number {
    if (this.#indentNext === 0) {
      const mark = this.#text.substr(offset, 3);
      return (mark === "---" || mark === "...") && isEmpty(this.#text[offset + 3]) ? -1 : offset;
    }
    let i = offset;
    while (this.#text[i] === " ") i++;
    if (this.#text[i] === "\r" && this.#text[i + 1] === "\n") return i + 1;
    return this.#text[i] === "\n" || i - offset >= this.#indentNext ? i : -1;
  }

  /** Tabs before the first node of a line are no indentation. */
  #column(): number {
    return this.#pos - this.#lineStart - this.#tabs;
  }

  #skip(chars: " " | " \t"): number {
    const from = this.#pos;
    while (this.#text[this.#pos] === " " || (chars === " \t" && this.#text[this.#pos] === "\t")) this.#pos++;
    return this.#pos - from;
  }

  #skipUntilAnchorEnd(): void {
    while (!isEmpty(this.#text[this.#pos]) && !isFlowMark(this.#text[this.#pos])) this.#pos++;
  }

  #skipTag(): void {
    const isVerbatim = this.#text[this.#pos + 1] === "<";
    const part = isVerbatim ? /[^\s>]/ : /[\w\-#;/?:@&=+$.!~*'()%]/;
    this.#pos += isVerbatim ? 2 : 1;
    for (let ch = this.#text[this.#pos]; ch !== undefined && part.test(ch); ch = this.#text[this.#pos]) this.#pos++;
    if (isVerbatim && this.#text[this.#pos] === ">") this.#pos++;
  }

  #newline(): boolean {
    if (!this.#isLineEnd(this.#pos) || this.#pos >= this.#text.length) return false;
    this.#skipLine();
    return true;
  }

  #isLineEnd(i: number): boolean {
    return i >= this.#text.length || this.#text[i] === "\n" || (this.#text[i] === "\r" && this.#text[i + 1] === "\n");
  }

  #lineEnd(): number {
    const end = this.#text.indexOf("\n", this.#pos);
    return end === -1 ? this.#text.length : end;
  }

  #skipLine(): void {
    this.#pos = Math.min(this.#lineEnd() + 1, this.#text.length);
    this.#lineStart = this.#pos;
  }
}
