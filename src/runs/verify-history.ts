import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import { BhBridgeError } from "../errors.js";
import { indexPathOf, indexRecordBytes, parseIndexRecord } from "../formats/history-index.js";
import { itemSizes } from "../formats/matrix.js";
import { openHistory } from "../formats/open-history.js";

/** So many wrong states are named one by one; when a disk is failing there are thousands. */
const maxNamed = 5;

/**
 * What is wrong with one recorded history: every committed state is compared with the CRC-32 in its index, and the steps have to rise.
 *
 * @param path of `history.safetensors`, or of another recorded tensor's file; its index lies beside it.
 */
export async function verifyHistory(path: string): Promise<string[]> {
  const indexPath = indexPathOf(path);
  if (!existsSync(indexPath)) return [`${indexPath} is missing: the states in ${basename(path)} cannot be checked`];
  try {
    const history = await openHistory(path);
    try {
      const index = readFileSync(indexPath);
      if (index.length < history.states * indexRecordBytes)
        return [`${indexPath} has ${index.length} bytes; ${history.states} states need ${indexRecordBytes} each`];
      const state = new Uint8Array(history.tokens * history.dims * itemSizes[history.dtype]);
      const wrong: string[] = [];
      let previous = -1;
      for (let at = 0; at < history.states; at++) {
        const { step, crc } = parseIndexRecord(index, at);
        history.read(at, 1, state);
        const found = crc32(state);
        if (found !== crc) wrong.push(`${path}: state ${at} (step ${step}) has CRC-32 ${hex(found)}, recorded was ${hex(crc)}`);
        if (step <= previous) wrong.push(`${indexPath}: record ${at} is of step ${step}, after one of step ${previous}`);
        previous = step;
      }
      return wrong.length > maxNamed ? [...wrong.slice(0, maxNamed), `${path}: ${wrong.length - maxNamed} more problems like these`] : wrong;
    } finally {
      history.close();
    }
  } catch (error) {
    if (error instanceof BhBridgeError) return [error.message];
    throw error;
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}
