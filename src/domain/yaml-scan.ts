import { isEmpty, isFlowMark, YamlCursor } from "./yaml-cursor.ts";

/** Of each of these, far more than anyone writes, and no more than is reported in no time. */
const [MARKERS_MAX, PROPERTIES_MAX, STRAY_MAX] = [100, 10_000, 1000];

export type YamlLimits = {
  bytes: number;
  /** Collections within collections, block and flow together. */
  depth: number;
  /** Items of one list or keys of one map. */
  items: number;
  /** Items, keys and brackets of the whole text: what bounds the parser's time and memory. */
  entries: number;
};

/** Where the scan stands: between documents, at the start of a line, before a node of a block, inside brackets. */
type State = "stream" | "line" | "block" | "flow";
type Level = { column: number; kind: "map" | "list"; items: number };

/**
 * The scan of one text for `gateYaml`; stops at the first limit passed. Exact for text that is YAML. Some text that is
 * not, the parser nests more deeply than this sees before it reports the error: `readYaml` watches for that.
 */
export class YamlScan {
  readonly #at: YamlCursor;
  readonly #limits: YamlLimits;
  readonly #levels: Level[] = [];
  /** Commas seen in each open bracket. */
  readonly #flow: number[] = [];
  /** Inside brackets: the node just read may be followed by `:` without a space. */
  #flowKey = false;
  /** Column of the node that a `:` would make a key; null: none since the last indicator. */
  #nodeColumn: number | null = null;
  #entries = 0;
  /** What is cheap to write and dear to parse or to report, each with a limit of its own. */
  #lines = 0;
  #nodes = 0;
  #propertyCount = 0;
  #markers = 0;
  #problem: { message: string; offset: number } | null = null;

  constructor(text: string, limits: YamlLimits) {
    this.#at = new YamlCursor(text);
    this.#limits = limits;
  }

  /** The first limit passed and where, or null. */
  run(): { message: string; offset: number } | null {
    if (this.#at.text.startsWith("\ufeff")) this.#at.pos = this.#at.lineStart = 1;
    let state: State = "stream";
    while (this.#problem === null && this.#at.pos < this.#at.text.length) {
      const before: number = this.#at.pos;
      const last: State = state;
      state = this.#step(state);
      // No rule stands still; should one, a character passed over is better than a scan that never ends.
      if (this.#at.pos === before && state === last) this.#at.pos++;
    }
    return this.#problem;
  }

  #step(state: State): State {
    if (state === "stream") return this.#stream();
    if (state === "line") return this.#line();
    return state === "block" ? this.#block() : this.#inFlow();
  }

  #stream(): State {
    let i = this.#at.pos;
    while (this.#at.text[i] === " " || this.#at.text[i] === "\t") i++;
    if (this.#at.text[this.#at.pos] !== "%" && this.#at.text[i] !== "#" && !this.#at.isLineEnd(i)) return "line";
    this.#countLine();
    this.#at.skipLine();
    return "stream";
  }

  #line(): State {
    const mark = this.#at.text.substr(this.#at.pos, 3);
    if ((mark === "---" || mark === "...") && isEmpty(this.#at.text[this.#at.pos + 3])) {
      this.#at.pos += 3;
      this.#at.indent = this.#at.indentNext = this.#levels.length = 0;
      this.#nodeColumn = null;
      if (++this.#markers > MARKERS_MAX) this.#fail(`more than ${MARKERS_MAX} documents`);
      return mark === "---" ? "block" : "stream";
    }
    this.#countLine();
    this.#at.indent = this.#at.skip(" ");
    this.#nodeColumn = null;
    if (this.#at.indentNext > this.#at.indent && !isEmpty(this.#at.text[this.#at.pos + 1])) this.#at.indentNext = this.#at.indent;
    for (let ch = this.#at.text[this.#at.pos]; this.#isIndicator(ch); ch = this.#at.text[this.#at.pos]) {
      const from = this.#at.pos;
      this.#indicator(ch);
      this.#at.indentNext = this.#at.indent + 1;
      this.#at.indent += this.#at.pos - from;
    }
    return "block";
  }

  #block(): State {
    this.#at.skip(" \t");
    this.#properties();
    const ch = this.#at.text[this.#at.pos];
    if (ch === undefined || ch === "#" || this.#at.isLineEnd(this.#at.pos)) {
      this.#at.skipLine();
      return "line";
    }
    if (ch === "|" || ch === ">") {
      this.#at.blockScalar();
      return "line";
    }
    this.#nodeColumn ??= this.#at.pos - this.#at.lineStart;
    this.#countNode();
    if (ch === "[" || ch === "{") return this.#open();
    if (ch === "]" || ch === "}") this.#at.pos++;
    else if (ch === "*") this.#at.skipUntilAnchorEnd();
    else if (ch === '"' || ch === "'") this.#at.quoted(ch);
    else this.#at.plain(this.#flow.length > 0);
    return "block";
  }

  #inFlow(): State {
    let lineIndent = -1;
    for (;;) {
      if (this.#at.newline()) {
        this.#countLine();
        lineIndent = this.#at.indent = this.#at.skip(" ");
      } else if (this.#at.skip(" \t") === 0) break;
    }
    if (lineIndent !== -1 && this.#leavesFlow(lineIndent)) {
      this.#flow.length = 0;
      return "line";
    }
    while (this.#at.text[this.#at.pos] === ",") {
      const commas = (this.#flow.pop() ?? 0) + 1;
      this.#flow.push(commas);
      this.#count(commas);
      this.#at.pos++;
      this.#at.skip(" \t");
      this.#flowKey = false;
    }
    this.#properties();
    const ch = this.#at.text[this.#at.pos];
    if (ch === undefined || ch === "\n") return "flow";
    this.#countNode();
    if (ch === "#") this.#at.pos = this.#at.lineEnd();
    else if (ch === "[" || ch === "{") return this.#open();
    else if (ch === "]" || ch === "}") return this.#close();
    else if (ch === "*") this.#at.skipUntilAnchorEnd();
    else if (ch === '"' || ch === "'") {
      this.#flowKey = true;
      this.#at.quoted(ch);
    } else if (ch === ":" && (this.#flowKey || isEmpty(this.#at.text[this.#at.pos + 1]) || this.#at.text[this.#at.pos + 1] === ",")) {
      this.#indicator(ch);
    } else {
      this.#flowKey = false;
      this.#at.plain(this.#flow.length > 0);
    }
    return "flow";
  }

  /** True where a line inside brackets is indented too little to belong to them: the parser ends them there. */
  #leavesFlow(indent: number): boolean {
    const first = this.#at.text[this.#at.pos];
    const mark = this.#at.text.substr(this.#at.pos, 3);
    const isMarker = indent === 0 && (mark === "---" || mark === "...") && isEmpty(this.#at.text[this.#at.pos + 3]);
    if (!isMarker && !(indent < this.#at.indentNext && first !== "#")) return false;
    return !(indent === this.#at.indentNext - 1 && this.#flow.length === 1 && (first === "]" || first === "}"));
  }

  #open(): State {
    this.#flow.push(0);
    this.#flowKey = false;
    this.#count(0);
    this.#at.pos++;
    return "flow";
  }

  #close(): State {
    this.#at.pos++;
    this.#flow.pop();
    this.#flowKey = true;
    return this.#flow.length > 0 ? "flow" : "block";
  }

  /** Tags, anchors and the indicators `- `, `? `, `: ` before a node. */
  #properties(): void {
    for (;;) {
      const ch = this.#at.text[this.#at.pos];
      if (ch === "!" || ch === "&") {
        if (this.#flow.length === 0) this.#nodeColumn ??= this.#at.pos - this.#at.lineStart;
        if (ch === "!") this.#at.skipTag();
        else this.#at.skipUntilAnchorEnd();
        this.#at.skip(" \t");
        if (++this.#propertyCount > PROPERTIES_MAX) this.#fail(`more than ${PROPERTIES_MAX} tags and anchors`);
      } else if (this.#isIndicator(ch)) {
        if (this.#flow.length === 0) this.#at.indentNext = this.#at.indent + 1;
        this.#indicator(ch);
      } else return;
    }
  }

  #isIndicator(ch: string | undefined): ch is "-" | "?" | ":" {
    if (ch !== "-" && ch !== "?" && ch !== ":") return false;
    const next = this.#at.text[this.#at.pos + 1];
    return isEmpty(next) || (this.#flow.length > 0 && isFlowMark(next));
  }

  #indicator(ch: "-" | "?" | ":"): void {
    if (this.#flow.length > 0) {
      this.#flowKey = false;
      this.#count(0);
    } else {
      const column = ch === ":" && this.#nodeColumn !== null ? this.#nodeColumn : this.#at.pos - this.#at.lineStart;
      this.#enter(column, ch === "-" ? "list" : "map");
    }
    this.#nodeColumn = null;
    this.#at.pos++;
    this.#at.skip(" \t");
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
    this.#count(level.items);
  }

  #count(items: number): void {
    const { depth, items: itemsMax, entries } = this.#limits;
    this.#entries++;
    if (this.#levels.length + this.#flow.length > depth) this.#fail(`nested deeper than ${depth} levels`);
    else if (items > itemsMax) this.#fail(`more than ${itemsMax} entries in one list or map`);
    else if (this.#entries > entries) this.#fail(`more than ${entries} entries in all`);
  }

  #countLine(): void {
    if (++this.#lines > this.#limits.entries) this.#fail(`more than ${this.#limits.entries} lines besides texts`);
  }

  /** A key and a value to each indicator is all that YAML has: what is far above is one error each. */
  #countNode(): void {
    if (++this.#nodes > 2 * this.#entries + STRAY_MAX) this.#fail(`more than ${STRAY_MAX} values without a key or a dash`);
  }

  #fail(message: string): void {
    this.#problem ??= { message, offset: this.#at.pos };
  }
}
