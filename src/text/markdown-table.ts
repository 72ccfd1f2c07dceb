import { printable } from "./printable.js";

/** A table in Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** A text from a file or a user as Markdown shows it: on one line, without HTML, links, images and control characters. A table's `|` is left to `markdownTable`. */
export function markdownText(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, " "), Number.POSITIVE_INFINITY)
    .replaceAll(/[\\`*[\]<>]/g, "\\$&")
    .replaceAll("](", "]\\(");
}
