import { cleanText } from "../domain/index.ts";
import { cutToWidth, displayWidth, fitWidth } from "./display-width.ts";

export type BoxStyle = {
  /** Columns there are; a box is no wider than its text needs, and no narrower than the source document's. */
  width: number;
  /** False: only ASCII is drawn by us; what the plan says stays as it is. */
  unicode: boolean;
};

/** The width of the boxes in the source document. */
const WIDTH_USUAL = 63;
const WIDTH_LEAST = 24;

const UNICODE = { topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", across: "─", down: "│", cut: "…" };
const ASCII = { topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", across: "-", down: "|", cut: "..." };

/** Lines in a frame whose right edge stands in one column, whatever wide characters they hold. */
export function drawBox(lines: readonly string[], style: BoxStyle): string {
  const marks = style.unicode ? UNICODE : ASCII;
  const texts = lines.map((line) =>
    cleanText(line)
      .replace(/[\n\t]+/g, " ")
      .trimEnd(),
  );
  const wanted = Math.max(WIDTH_USUAL, ...texts.map((text) => displayWidth(text) + 4));
  const inner = Math.max(WIDTH_LEAST, Math.min(style.width, wanted)) - 2;
  const edge = marks.across.repeat(inner);
  return [
    `${marks.topLeft}${edge}${marks.topRight}`,
    ...texts.map((text) => `${marks.down} ${fitWidth(text, inner - 2, marks.cut)} ${marks.down}`),
    `${marks.bottomLeft}${edge}${marks.bottomRight}`,
  ].join("\n");
}

/** Words joined by `separator`, over as many lines as it takes, at most `linesMax`. */
export function wrapList(words: readonly string[], separator: string, width: number, linesMax: number, cut: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [i, word] of words.entries()) {
    const piece = i === 0 ? word : `${separator}${word}`;
    if (line !== "" && displayWidth(line) + displayWidth(piece) > width) {
      if (lines.length + 1 === linesMax) return [...lines, `${cutToWidth(line, width - displayWidth(cut) - 1, "")} ${cut}`];
      lines.push(line);
      line = piece.trimStart();
    } else line += piece;
  }
  return [...lines, line];
}
