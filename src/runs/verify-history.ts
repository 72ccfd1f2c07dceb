import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { BhBridgeError } from "../errors.js";
import { formatInvalid } from "../formats/file-bytes.js";
import { findHistoryTensor } from "../formats/history.js";
import { indexRecordBytes, isSoundRecord, parseIndexRecord } from "../formats/index-record.js";
import { itemSizes, type RowSource } from "../formats/matrix.js";
import { openSafetensors, type TensorFile } from "../formats/safetensors/safetensors.js";
import { readWhole } from "./file-types.js";
import { hasIndex } from "./history-index.js";
import { recordedStates } from "./history-labels.js";
import { openHistory } from "./open-history.js";
import { indexPathOf } from "./run-layout.js";

/** Number of wrong states to name; a failing disk has thousands. */
const maxNamed = 5;

/** The results of the check of one history. */
export interface HistoryFindings {
  readonly problems: string[];
  /** Whether the file has space after its last state, which is not checked. */
  readonly hasSpace: boolean;
  /** The part of the index that its checksums do not cover, undefined if they cover all. */
  readonly recordGap: string | undefined;
}

/**
 * Check one recorded history: the CRC-32 of every committed state and of every record, and everything that opening it checks.
 * @param path of `history.safetensors`, or of another recorded tensor's file, with its index.
 */
export async function verifyHistory(path: string): Promise<HistoryFindings> {
  const indexPath = indexPathOf(path);
  const failed = (problem: string): HistoryFindings => ({ problems: [problem], hasSpace: false, recordGap: "its history could not be checked" });
  if (!hasIndex(path)) return failed(`${indexPath} is missing: the states in ${basename(path)} cannot be checked`);
  try {
    using states = new RecordedStates(path);
    const index = readWhole(indexPath);
    if (index.length < states.count * indexRecordBytes)
      return failed(`${indexPath} has ${index.length} bytes; ${states.count} states need ${indexRecordBytes} each`);
    const wrong = states.wrong(index, indexPath);
    const problems = wrong.length > 0 ? shorten(wrong, path) : await problemOfOpening(path);
    return { problems, hasSpace: states.hasSpace, recordGap: recordGap(states.count, index) };
  } catch (error) {
    if (error instanceof BhBridgeError) return failed(error.message);
    throw error;
  }
}

/** The states of a history, read without stopping at the first damage. */
class RecordedStates implements Disposable {
  readonly count: number;
  readonly hasSpace: boolean;
  readonly #path: string;
  readonly #file: TensorFile;
  readonly #rows: RowSource;
  readonly #rowsOfState: number;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSafetensors(path);
    try {
      const tensor = findHistoryTensor(this.#file.tensors);
      if (!tensor) throw formatInvalid(path, 0, "its header names no history");
      const [planned = 0, rows = 0] = tensor.shape;
      this.count = recordedStates(this.#file.tensors, tensor, path) ?? planned;
      this.hasSpace = this.count < planned;
      this.#rows = tensor.rows();
      this.#rowsOfState = rows;
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /** Problems of states and records, in words. */
  wrong(index: Buffer, indexPath: string): string[] {
    const { columns, dtype } = this.#rows;
    const state = new Uint8Array(this.#rowsOfState * columns * itemSizes[dtype]);
    const wrong: string[] = [];
    for (let at = 0; at < this.count; at++) {
      const { step, crc } = parseIndexRecord(index, at);
      this.#rows.read(at * this.#rowsOfState, this.#rowsOfState, state);
      const found = crc32(state);
      if (!isSoundRecord(index, at)) wrong.push(`${indexPath}: record ${at} is damaged: it does not have its own CRC-32`);
      if (found !== crc) wrong.push(`${this.#path}: state ${at} (step ${step}) has CRC-32 ${hex(found)}, recorded was ${hex(crc)}`);
    }
    return wrong;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Problems that prevent opening the history: its labels or its head. */
async function problemOfOpening(path: string): Promise<string[]> {
  try {
    (await openHistory(path)).close();
    return [];
  } catch (error) {
    if (error instanceof BhBridgeError) return [error.message];
    throw error;
  }
}

function shorten(wrong: string[], path: string): string[] {
  return wrong.length > maxNamed ? [...wrong.slice(0, maxNamed), `${path}: ${wrong.length - maxNamed} more problems like these`] : wrong;
}

function recordGap(states: number, index: Buffer): string | undefined {
  for (let at = 0; at < states; at++) {
    if (parseIndexRecord(index, at).check === 0) return "it has records of an earlier version, which have no checksum of their own";
  }
  return index.length > states * indexRecordBytes ? "the records after the last committed state mean nothing" : undefined;
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
