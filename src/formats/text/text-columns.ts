import { tableFromIPC } from "@uwdata/flechette";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { BhBridgeError } from "../../errors.js";
import { FileBytes } from "../file-bytes.js";
import { invalid } from "./text-files.js";

/** The values of a column of a `.parquet` file, one row group at a time. @throws {BhBridgeError} `CORPUS_INVALID`. */
export async function* readParquet(path: string, field: string): AsyncGenerator<unknown[]> {
  let rowEnd = 0;
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
    if (!columns.includes(field)) throw noColumn(path, field, columns);
    for (const { num_rows: rows } of metadata.row_groups) {
      const rowStart = rowEnd;
      rowEnd += Number(rows);
      const read = await parquetReadObjects({ file, metadata, compressors, columns: [field], rowStart, rowEnd });
      yield read.map((row) => row[field]);
    }
  } catch (cause) {
    throw cause instanceof BhBridgeError ? cause : invalid(path, `is damaged, or not a .parquet file: ${(cause as Error).message}`, cause);
  }
}

/** Kinds of Arrow's messages. */
const dictionaryBatch = 2;
const recordBatch = 3;

/** The values of a column of a file that `datasets` wrote, a stream of Arrow's batches, one batch at a time. @throws {BhBridgeError} `CORPUS_INVALID`. */
export function* readArrow(path: string, field: string): Generator<unknown[]> {
  const file = new FileBytes(path);
  const before: Uint8Array[] = []; // each batch is read with the schema and the dictionaries
  try {
    for (const { kind, bytes } of messagesOf(file)) {
      if (kind !== recordBatch) before.push(bytes);
      if (kind === dictionaryBatch) continue;
      const table = tableFromIPC(Buffer.concat(kind === recordBatch ? [...before, bytes] : before));
      if (!table.names.includes(field)) throw noColumn(path, field, table.names.map(String));
      yield [...table.getChild(field)];
    }
  } catch (cause) {
    if (cause instanceof BhBridgeError && cause.code === "CORPUS_INVALID") throw cause;
    throw invalid(path, `is damaged, or not a file of datasets.save_to_disk: ${(cause as Error).message}`, cause);
  } finally {
    file.close();
  }
}

/** The messages of a stream: a mark, the length of the description, the description, the body. */
function* messagesOf(file: FileBytes): Generator<{ kind: number; bytes: Uint8Array }> {
  const prefix = 8;
  for (let at = 0; at < file.size; ) {
    const head = new DataView(file.read(at, prefix, "the length of a message").buffer);
    if (head.getUint32(0, true) !== 0xffffffff) throw invalid(file.path, `is damaged: at byte ${at}, no message of Arrow begins`);
    const length = head.getInt32(4, true);
    if (length === 0) return;
    const { kind, bodyBytes } = describe(file.read(at + prefix, length, "the description of a message"));
    const bytes = prefix + length + bodyBytes;
    yield { kind, bytes: file.read(at, bytes, "a message") };
    at += bytes;
  }
}

/** Kind and body of a message, from its table of FlatBuffers: fields 1 and 3. */
function describe(description: Uint8Array): { kind: number; bodyBytes: number } {
  const view = new DataView(description.buffer, description.byteOffset, description.byteLength);
  const table = view.getUint32(0, true);
  const fields = table - view.getInt32(table, true);
  const offsetOf = (field: number) => (4 + 2 * field < view.getUint16(fields, true) ? view.getUint16(fields + 4 + 2 * field, true) : 0);
  const [kind, body] = [offsetOf(1), offsetOf(3)];
  return { kind: kind === 0 ? 0 : view.getUint8(table + kind), bodyBytes: body === 0 ? 0 : Number(view.getBigInt64(table + body, true)) };
}

function noColumn(path: string, field: string, columns: readonly string[]): BhBridgeError {
  return invalid(path, `has no column "${field}", only ${columns.join(", ")}. Name the column of the text with data.field`);
}
