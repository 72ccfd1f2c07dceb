import type { z } from "zod";
import { FileBytes, formatInvalid } from "./file-bytes.js";

/** Something in a JSON text that `JSON.parse` lets through and strict readers do not. */
interface JsonComplaint {
  kind: "name" | "text" | "number";
  /** Offset in UTF-16 units. */
  position: number;
  reason: string;
}

/** Names that a JavaScript object treats as its own machinery; no library writes a tensor of this name. */
const reservedNames: readonly string[] = ["__proto__"];

/** One token of a JSON text: a string, a number or word, or a punctuation mark other than the colon. */
interface JsonToken {
  text: string;
  position: number;
}

/**
 * What strict readers refuse in a valid JSON text and `JSON.parse` accepts: a name that stands twice in one object (the later value would silently win) or is
 * reserved, a text with a lone surrogate, a number that is not a plain unsigned integer.
 * @param text must have passed `JSON.parse`.
 */
export function* strictJsonComplaints(text: string): Generator<JsonComplaint> {
  const objects: (Set<string> | undefined)[] = [];
  let expectsName = false;
  for (const { text: token, position } of jsonTokens(text)) {
    const names = objects.at(-1);
    if (token === "{" || token === "[") objects.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") objects.pop();
    else if (token !== ",") {
      const complaint = token.startsWith('"') ? stringComplaint(token, expectsName ? names : undefined) : wordComplaint(token);
      if (complaint) yield { ...complaint, position };
    }
    expectsName = token === "{" || (token === "," && names !== undefined);
  }
}

const marks = new Set(["{", "}", "[", "]", ","]);
const skipped = new Set([" ", "\t", "\n", "\r", ":"]);

/** The tokens of a text, valid JSON or not. */
// By hand, since a regular expression for strings recurses once per escape and can exhaust its stack.
export function* jsonTokens(text: string): Generator<JsonToken> {
  for (let position = 0; position < text.length; ) {
    const character = text.charAt(position);
    if (skipped.has(character)) {
      position++;
      continue;
    }
    const end = marks.has(character) ? position + 1 : character === '"' ? stringEnd(text, position) : wordEnd(text, position);
    yield { text: text.slice(position, end), position };
    position = end;
  }
}

function stringEnd(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== '"') position += text[position] === "\\" ? 2 : 1;
  return position + 1;
}

function wordEnd(text: string, start: number): number {
  let position = start + 1;
  while (position < text.length && !marks.has(text.charAt(position)) && !skipped.has(text.charAt(position))) position++;
  return position;
}

type Complaint = Omit<JsonComplaint, "position">;

function stringComplaint(literal: string, names: Set<string> | undefined): Complaint | undefined {
  const value = literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1);
  if (loneSurrogate.test(value)) return { kind: "text", reason: `the string ${literal} is not valid Unicode` };
  if (!names) return undefined;
  if (reservedNames.includes(value)) return { kind: "name", reason: `the name "${value}" is reserved` };
  if (names.has(value)) return { kind: "name", reason: `the name "${value}" stands twice` };
  names.add(value);
  return undefined;
}

const loneSurrogate = /\p{Surrogate}/u;

function wordComplaint(word: string): Complaint | undefined {
  const isPlain = /^(?:0|[1-9][0-9]*|true|false|null)$/.test(word);
  return isPlain ? undefined : { kind: "number", reason: `${word} is not an unsigned integer` };
}

/** A value that JSON can hold. */
export type Json = z.core.util.JSONType;

/** The largest JSON file that is read: `trainer_state.json` of a million logged steps has about 200 MB, the index of 100,000 tensors 8 MB. */
const maxJsonBytes = 256 * 2 ** 20;

/** Python writes numbers that JSON does not have; here they become null. */
const notNumbers = new Set(["NaN", "Infinity", "-Infinity"]);

/**
 * The value in a JSON file that Python wrote.
 * @param most bytes that are read.
 * @throws {BhBridgeError} `FORMAT_INVALID` for what is no JSON, and for names that stand twice or are reserved; what `FileBytes` throws.
 */
export function readJson(path: string, most: number = maxJsonBytes): Json {
  const file = new FileBytes(path);
  try {
    if (file.size > most) throw formatInvalid(path, 0, `${file.size} bytes of JSON follow; at most ${most} are read`);
    return parseJson(Buffer.from(file.read(0, file.size, "its text")).toString("utf8"), path);
  } finally {
    file.close();
  }
}

function parseJson(text: string, path: string): Json {
  const standard = withoutNotNumbers(text);
  let value: Json;
  try {
    value = JSON.parse(standard);
  } catch (cause) {
    throw formatInvalid(path, 0, `it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  for (const { kind, position, reason } of strictJsonComplaints(standard)) {
    if (kind === "name") throw formatInvalid(path, Buffer.byteLength(standard.slice(0, position)), reason);
  }
  return value;
}

function withoutNotNumbers(text: string): string {
  if (!text.includes("NaN") && !text.includes("Infinity")) return text;
  let result = "";
  let end = 0;
  for (const token of jsonTokens(text)) {
    if (!notNumbers.has(token.text)) continue;
    result += `${text.slice(end, token.position)}null`;
    end = token.position + token.text.length;
  }
  return result + text.slice(end);
}
