import { randomInt } from "node:crypto";
import type { TextColors } from "../../config/text-colors.js";
import { escaped, unprintable } from "../../text/printable.js";

/** Two numbers that this process alone knows: a colour that carries them is ours, and one in a text from a file is not. */
const key = `${randomInt(1000, 10_000)};${randomInt(1000, 10_000)}`;
const ours = new RegExp(`\\u001b\\[${key};(\\d+m)|(?![\\n\\t])${unprintable}`, "gu");

/** Colours for texts that `terminalText` lets through; they do nothing where they are not wanted. */
export function terminalColors(isWanted: boolean): TextColors {
  const paint = (open: number, close: number) => (text: string) => (isWanted ? `\u001b[${key};${open}m${text}\u001b[${key};${close}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39), cyan: paint(36, 39) };
}

/**
 * A text as it may go to a terminal: line ends, tabs and our own colours stay, every other character that could steer the terminal is escaped. Whatever the
 * text quotes (names, notes, tensors, metadata, errors) may come from a file that somebody else made.
 */
export function terminalText(text: string): string {
  return text.replaceAll(ours, (found: string, color: string | undefined) => (color === undefined ? escaped(found) : `\u001b[${color}`));
}

/** A JSON document as it may go to a terminal: the same document, such characters written as `\u001b`. @param replacer as `JSON.stringify` takes it. */
export function terminalJson(document: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return JSON.stringify(document, replacer).replaceAll(
    new RegExp(unprintable, "gu"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
