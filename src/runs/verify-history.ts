import { existsSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { checkOfRecord, indexRecordBytes, parseIndexRecord } from "./history-index.js";
import { openHistory } from "./open-history.js";
import { indexPathOf } from "./run-layout.js";

/** So many wrong states are named one by one; when a disk is failing there are thousands. */
const maxNamed = 5;

/** What a check of one recorded history found. */
export interface HistoryFindings {
  /** What is wrong, in words. */
  readonly problems: string[];
  /** Whether the file has room after its last state, where nothing is checked. */
  readonly hasSpace: boolean;
  /** What the index's own checksums do not cover of it; nothing when they cover all. */
  readonly recordGap: string | undefined;
}

/**
 * Check one recorded history: every committed state is compared with the CRC-32 in its index, every record with its own; that the steps rise is seen to as it is opened.
 *
 * @param path of `history.safetensors`, or of another recorded tensor's file; its index lies beside it.
 */
export async function verifyHistory(path: string): Promise<HistoryFindings> {
  const indexPath = indexPathOf(path);
  const failed = (problem: string): HistoryFindings => ({ problems: [problem], hasSpace: false, recordGap: "its history could not be checked" });
  if (!existsSync(indexPath)) return failed(`${indexPath} is missing: the states in ${basename(path)} cannot be checked`);
  try {
    const history = await openHistory(path);
    try {
      const index = readFileSync(indexPath);
      if (index.length < history.states * indexRecordBytes)
        return failed(`${indexPath} has ${index.length} bytes; ${history.states} states need ${indexRecordBytes} each`);
      return { problems: shorten(wrongStates(history, path, index, indexPath), path), hasSpace: hasSpace(history, path), recordGap: recordGap(history, index) };
    } finally {
      history.close();
    }
  } catch (error) {
    if (error instanceof BhBridgeError) return failed(error.message);
    throw error;
  }
}

function wrongStates(history: History, path: string, index: Buffer, indexPath: string): string[] {
  const state = new Uint8Array(stateBytes(history));
  const wrong: string[] = [];
  for (let at = 0; at < history.states; at++) {
    const { step, crc, check } = parseIndexRecord(index, at);
    history.read(at, 1, state);
    const found = crc32(state);
    if (check !== 0 && check !== checkOfRecord(index, at)) wrong.push(`${indexPath}: record ${at} is damaged: it does not have its own CRC-32`);
    if (found !== crc) wrong.push(`${path}: state ${at} (step ${step}) has CRC-32 ${hex(found)}, recorded was ${hex(crc)}`);
  }
  return wrong;
}

function shorten(wrong: string[], path: string): string[] {
  return wrong.length > maxNamed ? [...wrong.slice(0, maxNamed), `${path}: ${wrong.length - maxNamed} more problems like these`] : wrong;
}

function hasSpace(history: History, path: string): boolean {
  return history.raw !== undefined && statSync(path).size > history.raw.offset + history.states * stateBytes(history);
}

function recordGap({ states }: History, index: Buffer): string | undefined {
  for (let at = 0; at < states; at++) {
    if (parseIndexRecord(index, at).check === 0) return "it has records of an earlier version, which have no checksum of their own";
  }
  return index.length > states * indexRecordBytes ? "the records after the last committed state mean nothing" : undefined;
}

function stateBytes({ tokens, dims, dtype }: History): number {
  return tokens * dims * itemSizes[dtype];
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
