import { basename, dirname, join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { containedFile, FileBytes } from "../formats/file-bytes.js";
import {
  checkOfRecord,
  crcOfRecord,
  type IndexRecord,
  indexRecordBytes,
  isEmptyRecord,
  isSoundRecord,
  parseIndexRecord,
  stepOfRecord,
} from "../formats/index-record.js";
import { flippedBit } from "../formats/state-checks.js";
import { count } from "../text/format.js";
import { isThere } from "./file-types.js";
import { historyFile, indexPathOf } from "./run-layout.js";

/** A history's header is one page: see docs/run-directory.md. */
const headerBytes = 4096;
/** Header and `steps_done`. */
export const historyHeadBytes: number = headerBytes + 8;

/** The index of a history. */
export interface HistoryIndex {
  readonly path: string;
  readonly crcs: Uint32Array;
  /** The training step of each state; absent if state i is step i. */
  readonly steps?: readonly number[];
  /** Whether the index has records of more than this number of further states, up to `mostUncommitted`. */
  hasMoreThan(states: number): boolean;
}

/**
 * Read the index of a history, undefined if there is none.
 * @param historyPath of `history.safetensors`, or of another recorded tensor's file.
 * @param planned number of recorded states by the history's file; a new file counts one but has none.
 * @throws {BhBridgeError} `RUN_CORRUPT` for an index that is too short, a damaged record, and steps that do not increase.
 */
export function readHistoryIndex(historyPath: string, planned: number): HistoryIndex | undefined {
  if (!hasIndex(historyPath)) return undefined;
  const path = indexPathOf(historyPath);
  const bytes = readRecords(path, planned);
  const states = planned === 1 && isEmptyRecord(bytes, 0) ? 0 : planned; // allocated, but state 0 is not written yet
  const crcs = new Uint32Array(states);
  let last = -1;
  let isEveryStep = true; // true for most histories, which require no list of steps
  for (let state = 0; state < states; state++) {
    if (!isSoundRecord(bytes, state)) throw damagedRecord(path, bytes.subarray(state * indexRecordBytes, (state + 1) * indexRecordBytes), state);
    const step = stepOfRecord(bytes, state);
    if (step <= last) throw corrupt(path, `record ${state} is of step ${step}, after one of step ${last}`);
    if (step !== state) isEveryStep = false;
    crcs[state] = crcOfRecord(bytes, state);
    last = step;
  }
  return {
    path,
    crcs,
    ...(!isEveryStep && { steps: Array.from({ length: states }, (_, state) => stepOfRecord(bytes, state)) }),
    hasMoreThan: (more) => {
      const at = states + more;
      return bytes.length >= (at + 1) * indexRecordBytes && !isEmptyRecord(bytes, at) && isSoundRecord(bytes, at) && stepOfRecord(bytes, at) > last;
    },
  };
}

/** Whether anything is at the path of a history's index. */
export function hasIndex(historyPath: string): boolean {
  return isThere(indexPathOf(historyPath));
}

/** The recorder commits at least once per this number of states, so an index has at most as many records beyond `steps_done`. */
export const mostUncommitted = 1000;

/** The records of the recorded states and of possible uncommitted ones. */
function readRecords(path: string, states: number): Buffer {
  const file = new FileBytes(containedFile(dirname(path), basename(path)));
  try {
    const needed = states * indexRecordBytes;
    if (file.size < needed) throw corrupt(path, `it has ${count(file.size, "byte")}, but ${count(states, "state")} need ${indexRecordBytes} bytes each`);
    return Buffer.from(file.read(0, Math.min(file.size, needed + (mostUncommitted + 1) * indexRecordBytes), "its records").buffer);
  } finally {
    file.close();
  }
}

function damagedRecord(path: string, bytes: Buffer, state: number): BhBridgeError {
  const record = Buffer.from(bytes);
  const bit = flippedBit(checkOfRecord(record, 0) ^ parseIndexRecord(record, 0).check, bytesBeforeCheck + bytesAfterCheck);
  if (bit !== undefined) {
    const covered = Math.floor(bit / 8);
    const at = covered < bytesBeforeCheck ? covered : covered + indexRecordBytes - bytesBeforeCheck - bytesAfterCheck;
    record.writeUInt8(record.readUInt8(at) ^ (1 << (bit % 8)), at); // with the bit flipped back, its step is known
  }
  return corrupt(path, `record ${state}, of step ${stepOfRecord(record, 0)} and all its tokens, does not have its own CRC-32`);
}

/** A record's checksum is between the bytes that it covers. */
const bytesBeforeCheck = 12;
const bytesAfterCheck = 8;

function corrupt(path: string, reason: string): BhBridgeError {
  return new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${reason}`);
}

/**
 * The newest committed record of a run's history, undefined before the first state.
 * @throws {BhBridgeError} `RUN_CORRUPT` if `steps_done` or the record is damaged; as `FileBytes` if the path is not a file.
 */
export function newestRecord(directory: string): IndexRecord | undefined {
  const path = join(directory, historyFile);
  const indexPath = indexPathOf(path);
  const done = stepsDone(path);
  if (done === undefined) return undefined;
  const bytes = readAt(indexPath, done * indexRecordBytes, indexRecordBytes);
  if (!bytes || isEmptyRecord(bytes, 0)) {
    if (done === 0) return undefined; // allocated, but state 0 is not written yet
    throw corrupt(path, `steps_done, at byte ${headerBytes}, is ${done}, but ${basename(indexPath)} has no record ${done}`);
  }
  if (!isSoundRecord(bytes, 0)) throw damagedRecord(indexPath, bytes, done);
  return parseIndexRecord(bytes, 0);
}

/** The index of the newest committed state, or 0 before the first; undefined without a history. @throws {BhBridgeError} as `newestRecord`. */
export function stepsDone(path: string): number | undefined {
  const done = readAt(path, headerBytes, 8)?.readBigInt64LE(0);
  if (done !== undefined && (done < 0n || done > mostStates)) throw corrupt(path, `steps_done, at byte ${headerBytes}, is ${done}`);
  return done === undefined ? undefined : Number(done);
}

/** No index is longer than a file can be. */
const mostStates = BigInt(Math.floor(Number.MAX_SAFE_INTEGER / indexRecordBytes) - 1);

/** The newest recorded step of a run, undefined without a history. @throws {BhBridgeError} as `newestRecord`. */
export function recordedStep(directory: string): number | undefined {
  return newestRecord(directory)?.step;
}

/** `length` bytes of a file, undefined if it is missing or too short. */
function readAt(path: string, position: number, length: number): Buffer | undefined {
  if (!isThere(path)) return undefined;
  const file = new FileBytes(containedFile(dirname(path), basename(path)));
  try {
    return file.size < position + length ? undefined : Buffer.from(file.read(position, length, "a record").buffer);
  } finally {
    file.close();
  }
}
