/** Control characters, and the marks that turn the direction of writing: in a name from a foreign file they could steer the terminal. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A name from a foreign file as it may be shown: control characters escaped, at most `limit` characters. */
export function printable(text: string, limit = 200): string {
  const shown = text.replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}

/** Lines of a message, in which such a name may stand, as they may be shown. */
export function printableLines(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line, Number.POSITIVE_INFINITY))
    .join("\n");
}
