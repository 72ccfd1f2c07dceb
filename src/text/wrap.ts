import { stripVTControlCharacters } from "node:util";

/** Text that stays on one line: a command after a colon and two spaces, a quoted text, a number with its unit, or a word. */
const unbreakable = /(?<=: {2})\S.*$|"[^"\n]*"\S*|\d[\d,.]* [^\s\d]\S*|\S+/g;

/**
 * Break lines at words to fit `width`; continuation lines are indented by `indent` spaces (default: as their first line). Colours count as zero columns.
 * Commands and single words that are wider stay whole. Without a width the text is returned unchanged.
 */
export function wrap(text: string, width: number | undefined, indent?: number): string {
  if (width === undefined) return text;
  return text
    .split("\n")
    .map((line) => wrapLine(line, width, indent))
    .join("\n");
}

function wrapLine(line: string, width: number, indent: number | undefined): string {
  const shown = stripVTControlCharacters(line);
  if (shown.length <= width) return line;
  const margin = " ".repeat(indent ?? shown.length - shown.trimStart().length);
  const lines: string[] = [];
  let start = 0; // of the current line
  let end = 0; // of the words that fit on it
  for (const { 0: word, index } of line.matchAll(unbreakable)) {
    const longer = stripVTControlCharacters(line.slice(start, index + word.length));
    if (end > 0 && end > start && longer.length + (lines.length > 0 ? margin.length : 0) > width) {
      lines.push(line.slice(start, end));
      start = index;
    }
    end = index + word.length;
  }
  return [...lines, line.slice(start, end)].map((part, at) => (at === 0 ? part : margin + part)).join("\n");
}
