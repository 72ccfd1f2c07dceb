/** A part of a text that stays on one line: a command or a name in double quotes, or a word. */
const unbreakable = /"[^"\n]*"\S*|\S+/g;

/**
 * Break the lines of a text at words, so that none is wider than `width`; what follows a break is indented by `indent` spaces, or else as its line is.
 * A single word that is wider, a path for example, stays whole. Without a width nothing is broken.
 */
export function wrap(text: string, width: number | undefined, indent?: number): string {
  if (width === undefined) return text;
  return text
    .split("\n")
    .map((line) => wrapLine(line, width, " ".repeat(indent ?? line.length - line.trimStart().length)))
    .join("\n");
}

function wrapLine(line: string, width: number, indent: string): string {
  if (line.length <= width) return line;
  const lines: string[] = [];
  let start = line.length - line.trimStart().length; // of the line that is being filled
  let end = start; // of what fits on it
  for (const { 0: word, index } of line.matchAll(unbreakable)) {
    const room = width - (lines.length === 0 ? 0 : indent.length);
    const from = lines.length === 0 ? 0 : start;
    if (index + word.length - from > room && end > start) {
      lines.push(line.slice(from, end));
      start = index;
    }
    end = index + word.length;
  }
  lines.push(line.slice(lines.length === 0 ? 0 : start, end));
  return lines.map((part, at) => (at === 0 ? part : indent + part)).join("\n");
}
