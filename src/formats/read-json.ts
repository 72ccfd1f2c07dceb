import type { z } from "zod";
import { FileBytes } from "./file-bytes.js";
import { formatInvalid } from "./format-invalid.js";
import { jsonTokens, strictJsonComplaints } from "./strict-json.js";

/** A value that JSON can hold. */
export type Json = z.core.util.JSONType;

/** The largest JSON file that is read: `trainer_state.json` of a million logged steps has about 200 MB, the index of 100,000 tensors 8 MB. */
const maxJsonBytes = 256 * 2 ** 20;

/** Python writes numbers that JSON does not have; here they become null. */
const notNumbers = new Set(["NaN", "Infinity", "-Infinity"]);

/**
 * The value in a JSON file that Python wrote.
 *
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
