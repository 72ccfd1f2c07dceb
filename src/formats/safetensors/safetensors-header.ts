import { z } from "zod";
import { type FileBytes, formatInvalid } from "../file-bytes.js";
import { strictJsonComplaints } from "../read-json.js";

/** Bits of one element, for every dtype that the safetensors library 0.8 knows. */
const dtypeBits: ReadonlyMap<string, number> = new Map([
  ["BOOL", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ...["U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map((name) => [name, 8] as const),
  ...["I16", "U16", "F16", "BF16"].map((name) => [name, 16] as const),
  ...["I32", "U32", "F32"].map((name) => [name, 32] as const),
  ...["C64", "F64", "I64", "U64"].map((name) => [name, 64] as const),
]);

/**
 * The longest header that is read. The safetensors library refuses longer ones too; the largest seen in a published model is below 1 MB
 * (a file of 100,000 tensors would need about 12 MB).
 */
const maxHeaderBytes = 100_000_000;

/** Bytes of the header's length in front of the header. */
const lengthBytes = 8;

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const tensorSchema = z.strictObject({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) });
const metadataSchema = z.record(z.string(), z.string());

/** One tensor of a header; `offset` counts from the start of the file. */
interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly offset: number;
}

/** Where a header is read from: a file, or the first bytes of one. */
type HeaderSource = Pick<FileBytes, "path" | "size" | "read">;

interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The header of a safetensors file, checked as the library checks it: tensors in offset order fill the rest of the file exactly, without gap or overlap, and
 * each is as long as its dtype and shape demand.
 * @throws {BhBridgeError} `FORMAT_INVALID` with the byte offset.
 */
export function readSafetensorsHeader(file: HeaderSource): SafetensorsHeader {
  const headerBytes = readHeaderLength(file);
  const text = decodeHeader(file, file.read(lengthBytes, headerBytes, "the header"));
  const { __metadata__: metadata = {}, ...tensors } = parseHeader(file, text);
  const start = lengthBytes + headerBytes;
  const entries = Object.entries(tensors).map(([name, value]) => toEntry(file, start, name, value));
  checkCover(file, start, entries);
  const checked = metadataSchema.safeParse(metadata);
  if (!checked.success) throw formatInvalid(file.path, lengthBytes, `__metadata__ is not an object of strings: ${explain(checked.error)}`);
  return { entries, metadata: checked.data };
}

function readHeaderLength(file: HeaderSource): number {
  const bytes = file.read(0, lengthBytes, "the length of the header");
  const length = new DataView(bytes.buffer).getBigUint64(0, true);
  const rest = file.size - lengthBytes;
  if (length > BigInt(rest)) throw formatInvalid(file.path, 0, `the header is said to have ${length} bytes, but ${rest} follow`);
  if (length > BigInt(maxHeaderBytes)) throw formatInvalid(file.path, 0, `the header is said to have ${length} bytes; at most ${maxHeaderBytes} are read`);
  return Number(length);
}

function decodeHeader(file: HeaderSource, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw formatInvalid(file.path, lengthBytes, "the header is not UTF-8 text", cause);
  }
}

function parseHeader(file: HeaderSource, text: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw formatInvalid(file.path, lengthBytes, `the header is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  const [complaint] = strictJsonComplaints(text);
  if (complaint) throw formatInvalid(file.path, lengthBytes + Buffer.byteLength(text.slice(0, complaint.position)), `in the header, ${complaint.reason}`);
  if (!text.startsWith("{") || header === null || typeof header !== "object") throw formatInvalid(file.path, lengthBytes, "the header is not a JSON object");
  return { ...header };
}

function toEntry(file: HeaderSource, start: number, name: string, value: unknown): SafetensorsEntry {
  const checked = tensorSchema.safeParse(value);
  if (!checked.success) throw formatInvalid(file.path, lengthBytes, `the entry of tensor "${name}" is wrong: ${explain(checked.error)}`);
  const { dtype, shape, data_offsets } = checked.data;
  const [first, end] = data_offsets;
  const bytes = byteCount(dtype, shape);
  if (typeof bytes === "string") throw formatInvalid(file.path, lengthBytes, `tensor "${name}" ${bytes}`);
  if (end - first !== bytes) {
    throw formatInvalid(file.path, start + first, `tensor "${name}" lies at [${first}, ${end}), but ${dtype} [${shape.join(", ")}] takes ${bytes} bytes`);
  }
  return { name, dtype, shape, bytes, offset: start + first };
}

/** The bytes that a tensor takes, or what is wrong with it. */
function byteCount(dtype: string, shape: readonly number[]): number | string {
  const bits = dtypeBits.get(dtype);
  if (bits === undefined) return `has the unknown dtype "${dtype}"`;
  let total = bits;
  for (const length of shape) {
    total *= length;
    if (!Number.isSafeInteger(total)) return `has a shape whose size overflows: [${shape.join(", ")}]`;
  }
  return total % 8 === 0 ? total / 8 : `has ${total} bits, no whole number of bytes`;
}

function checkCover(file: HeaderSource, start: number, entries: readonly SafetensorsEntry[]): void {
  let end = start;
  for (const entry of [...entries].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (entry.offset !== end) {
      const relation = entry.offset < end ? "overlaps the one before it" : "leaves a gap before it";
      throw formatInvalid(file.path, entry.offset, `tensor "${entry.name}" ${relation}, which ends at byte ${end}`);
    }
    end += entry.bytes;
  }
  if (end !== file.size) throw formatInvalid(file.path, Math.min(end, file.size), `the tensors end at byte ${end}, but the file has ${file.size} bytes`);
}

function explain(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
}
