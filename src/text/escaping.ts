/** How a spreadsheet recognizes a formula. */
const formulaStart = /^[=+\-@\t\r]/;
const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A value as a field of CSV (RFC 4180): numbers exact to their last digit, what is not there empty, quotes where they are needed.
 *
 * A text that a spreadsheet would execute as a formula gets an apostrophe before it.
 */
export function csvField(value: string | number | boolean | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  const inert = typeof value === "string" && formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** Control characters, and the marks that turn the direction of writing, as a pattern: in a text from a foreign file they could steer the terminal. */
export const unprintable = "[\\p{Cc}\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]";
const everyUnprintable = new RegExp(unprintable, "gu");

/** Such a character in plain letters. */
export function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** What XML, and so SVG, cannot hold: control characters but for tabs and line ends, halves of surrogate pairs, and what is no character. */
const notInXml = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** A text as XML and HTML can hold it: all other characters in plain letters. */
export function xmlText(text: string): string {
  return text.replaceAll(notInXml, escaped);
}

/** A name from a foreign file as it may be shown within a line: such characters escaped, line ends among them; at most `limit` characters. */
export function printable(text: string, limit = 200): string {
  const shown = text.replaceAll(everyUnprintable, escaped);
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}

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

/** A word as a shell takes it: as it is when it is harmless, else in single quotes. */
export function shellQuote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${printable(word, Number.POSITIVE_INFINITY).replaceAll("'", `'\\''`)}'`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A text as it may stand in HTML, between tags or in a quoted attribute: it is never markup and has no control characters, whatever is in it. */
export function escapeHtml(text: string): string {
  return xmlText(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
