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
