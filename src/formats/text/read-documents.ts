import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { invalid, type TextFile } from "./text-files.js";

/** A document, or a part of one. */
export interface DocumentPart {
  /** UTF-8 in the forms other than `plain`, whose parts can end within a character. */
  text: Uint8Array;
  /** Whether the document ends here. */
  ends: boolean;
  /** Where it is, such as `a.jsonl:3`. */
  at: string;
}

const chunkBytes = 1 << 20;
/** Of zstd, whose decoder returns all that a chunk holds at once. */
const packedChunkBytes = 1 << 14;

/**
 * Read the documents of a file, front to back: as many at a time as come together, so that memory does not grow with the file.
 * @param field the field or column that holds the text of a document.
 * @throws {BhBridgeError} `CORPUS_INVALID` with the line or row of a damaged document.
 */
export async function* readDocuments(file: TextFile, field: string, signal?: AbortSignal): AsyncGenerator<DocumentPart[]> {
  const { path, form } = file;
  if (form === "parquet" || form === "arrow") {
    const { readArrow, readParquet } = await import("./text-columns.js");
    const texts = form === "parquet" ? readParquet(path, field) : readArrow(path, field);
    let row = 0;
    for await (const some of texts) yield some.map((text) => ({ text: encoded(text, field, `${path}, row ${row}`), ends: true, at: `${path}, row ${row++}` }));
  } else if (form === "jsonl") yield* readLines(file, field, signal);
  else {
    for await (const text of chunksOf(file, signal)) yield [{ text, ends: false, at: path }];
    yield [{ text: new Uint8Array(0), ends: true, at: path }];
  }
}

async function* readLines(file: TextFile, field: string, signal: AbortSignal | undefined): AsyncGenerator<DocumentPart[]> {
  let line = 0;
  const documentsIn = (lines: readonly Buffer[]) => {
    const found: DocumentPart[] = [];
    for (const bytes of lines) {
      const at = `${file.path}:${++line}`;
      const text = textOfLine(line === 1 ? withoutMark(bytes) : bytes, field, at);
      if (text !== undefined) found.push({ text, ends: true, at });
    }
    return found;
  };
  let rest: Buffer[] = []; // of a line that has not ended
  for await (const chunk of chunksOf(file, signal)) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      lines.push(Buffer.concat([...rest, chunk.subarray(start, end)]));
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(Buffer.from(chunk.subarray(start)));
    yield documentsIn(lines);
  }
  yield documentsIn([Buffer.concat(rest)]);
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? bytes.subarray(3) : bytes;
}

/** The text of a line; undefined for an empty line. */
function textOfLine(bytes: Buffer, field: string, at: string): Uint8Array | undefined {
  if (!isUtf8(bytes)) throw invalid(at, "is not UTF-8");
  const line = bytes.toString("utf8");
  if (line.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(at, `is not JSON: ${(cause as Error).message}. Each line holds one document, as {"${field}": "…"}`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(at, `is not an object with the field "${field}"`);
  if (!Object.hasOwn(value, field)) {
    throw invalid(at, `has no field "${field}", only ${Object.keys(value).join(", ") || "none"}. Name the field of the text with data.field`);
  }
  return encoded((value as Record<string, unknown>)[field], field, at);
}

function encoded(text: unknown, field: string, at: string): Uint8Array {
  if (typeof text !== "string") {
    const found = text === null || text === undefined ? "null" : `a ${typeof text}`;
    throw invalid(at, `has no text: "${field}" is ${found}. Remove the document, or name another field with data.field`);
  }
  if (/\p{Surrogate}/u.test(text)) throw invalid(at, `has half of a surrogate pair in "${field}", which UTF-8 cannot hold. Correct or remove the document`);
  return Buffer.from(text, "utf8");
}

/** The bytes of a file, decompressed. @throws {BhBridgeError} `CORPUS_INVALID`. */
async function* chunksOf({ path, compression }: TextFile, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: compression === "zstd" ? packedChunkBytes : chunkBytes, ...(signal && { signal }) });
  try {
    if (compression === "gzip") yield* pipeline(file, createGunzip({ chunkSize: chunkBytes }), () => undefined);
    else if (compression === "zstd") yield* decompressed(file);
    else yield* file;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw invalid(path, `cannot be read: ${(cause as Error).message}`, cause);
  }
}

async function* decompressed(file: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { Decompress } = await import("fzstd");
  let parts: Uint8Array[] = [];
  const stream = new Decompress((part) => parts.push(part));
  for await (const chunk of file) {
    stream.push(chunk);
    yield* parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    parts = [];
  }
  stream.push(new Uint8Array(0), true);
}
