import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { containedFile } from "../formats/contained-file.js";
import { FileBytes } from "../formats/file-bytes.js";
import { formatInvalid } from "../formats/format-invalid.js";
import { count } from "../text/count.js";
import { historyFile, indexPathOf } from "./run-layout.js";

/** Step (u64), CRC-32 of the state (u32), CRC-32 of the record's other bytes (u32), loss (f64); little-endian. Docs: docs/run-directory.md. */
export const indexRecordBytes = 24;
const checkAt = 12;
const lossAt = 16;
/** A history's header is one page. Docs: docs/run-directory.md. */
const headerBytes = 4096;
/** Its header, and `steps_done`. */
export const historyHeadBytes: number = headerBytes + 8;

/** What the index says of one recorded state. */
interface IndexRecord {
  step: number;
  /** CRC-32 of the state's bytes. */
  crc: number;
  /** CRC-32 of the record itself; 0 in the records of earlier versions, which have none. */
  check: number;
  /** Loss of the step; NaN for the initial state. */
  loss: number;
}

/** Take one record out of the index's bytes. */
export function parseIndexRecord(bytes: Buffer, index: number): IndexRecord {
  const at = index * indexRecordBytes;
  return {
    step: Number(bytes.readBigUInt64LE(at)),
    crc: bytes.readUInt32LE(at + 8),
    check: bytes.readUInt32LE(at + checkAt),
    loss: bytes.readDoubleLE(at + lossAt),
  };
}

/** The step of a record alone: a list of runs reads thousands, and makes no object and no bigint for each. */
export function stepOfRecord(bytes: Buffer, index: number): number {
  const at = index * indexRecordBytes;
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** The loss of a record alone. */
export function lossOfRecord(bytes: Buffer, index: number): number {
  return bytes.readDoubleLE(index * indexRecordBytes + lossAt);
}

/** The bytes of a record, with its own CRC-32 in them. */
export function packIndexRecord({ step, crc, loss }: Omit<IndexRecord, "check">): Buffer {
  const bytes = Buffer.alloc(indexRecordBytes);
  bytes.writeBigUInt64LE(BigInt(step), 0);
  bytes.writeUInt32LE(crc, 8);
  bytes.writeDoubleLE(loss, lossAt);
  bytes.writeUInt32LE(checkOfRecord(bytes, 0), checkAt);
  return bytes;
}

/** The CRC-32 that a record should carry. */
export function checkOfRecord(bytes: Buffer, index: number): number {
  const record = bytes.subarray(index * indexRecordBytes, (index + 1) * indexRecordBytes);
  return crc32(record.subarray(checkAt + 4), crc32(record.subarray(0, checkAt)));
}

/**
 * The training step of each recorded state; nothing when state i is step i, or when there is no index.
 *
 * @param historyPath of `history.safetensors`, or of another recorded tensor's file.
 * @throws {BhBridgeError} `FORMAT_INVALID` for an index that is too short, or whose steps do not rise.
 */
export function recordedSteps(historyPath: string, states: number): readonly number[] | undefined {
  const path = indexPathOf(historyPath);
  if (!existsSync(path)) return undefined;
  const bytes = readRecords(path, states);
  let last = -1;
  let isEveryStep = true; // which most histories are: no list is made of it
  for (let state = 0; state < states; state++) {
    const step = stepOfRecord(bytes, state);
    if (step <= last) throw formatInvalid(path, state * indexRecordBytes, `record ${state} is of step ${step}, after one of step ${last}`);
    if (step !== state) isEveryStep = false;
    last = step;
  }
  return isEveryStep ? undefined : Array.from({ length: states }, (_, state) => stepOfRecord(bytes, state));
}

function readRecords(path: string, states: number): Buffer {
  const file = new FileBytes(containedFile(dirname(path), basename(path)));
  try {
    const needed = states * indexRecordBytes;
    if (file.size < needed) throw formatInvalid(path, file.size, `${count(states, "state")} need ${indexRecordBytes} bytes each`);
    return Buffer.from(file.read(0, needed, "its records"));
  } finally {
    file.close();
  }
}

/** The newest committed record of a run's history; nothing when there is no history yet. */
export function newestRecord(directory: string): IndexRecord | undefined {
  const done = readAt(join(directory, historyFile), headerBytes, 8)?.readBigInt64LE(0);
  if (done === undefined) return undefined;
  const bytes = readAt(indexPathOf(join(directory, historyFile)), Number(done) * indexRecordBytes, indexRecordBytes);
  return bytes && parseIndexRecord(bytes, 0);
}

/** The newest step that a run has recorded; nothing when there is no history yet. */
export function recordedStep(directory: string): number | undefined {
  return newestRecord(directory)?.step;
}

/** `length` bytes of a file; nothing when it is absent or too short. */
function readAt(path: string, position: number, length: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined; // a run that has not got that far
  }
  try {
    if (fstatSync(fd).size < position + length) return undefined;
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, position);
    return bytes;
  } finally {
    closeSync(fd);
  }
}
