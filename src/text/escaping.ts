/** The first characters of what a spreadsheet executes as a formula. */
const formulaStart = /^[=+\-@\t\r]/;
const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A value as a field of CSV (RFC 4180): numbers with all digits, missing values empty. A text that a spreadsheet would execute as a formula starts with an apostrophe.
 */
export function csvField(value: string | number | boolean | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  const inert = typeof value === "string" && formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** Pattern of control characters and marks of writing direction: in text from a foreign file they could control the terminal. */
export const unprintable = "[\\p{Cc}\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]";
const everyUnprintable = new RegExp(unprintable, "gu");

export function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Characters that XML and SVG forbid: control characters except tabs and line ends, lone surrogates, and noncharacters. */
const notInXml = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** Escape the characters that XML and HTML forbid. */
export function xmlText(text: string): string {
  return text.replaceAll(notInXml, escaped);
}

/** A text from a foreign file for one line of output: unprintable characters and line ends escaped, at most `limit` characters. */
export function printable(text: string, limit = 200): string {
  const shown = text.replaceAll(everyUnprintable, escaped);
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** A text as one line of Markdown without HTML, links, images and control characters. `markdownTable` escapes `|`. */
export function markdownText(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, " "), Number.POSITIVE_INFINITY)
    .replaceAll(/[\\`*[\]<>]/g, "\\$&")
    .replaceAll("](", "]\\(");
}

/** Quote a word for a shell if it needs quotes. */
export function shellQuote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${printable(word, Number.POSITIVE_INFINITY).replaceAll("'", `'\\''`)}'`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escape a text for HTML, between tags or in a quoted attribute. */
export function escapeHtml(text: string): string {
  return xmlText(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
