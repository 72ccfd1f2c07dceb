import { rmSync } from "node:fs";
import { crc32 } from "node:zlib";
import { durableCreateFile } from "../formats/durable-write.js";
import type { History } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { stepOfState } from "../formats/state-of-step.js";
import { historyHeadBytes, packIndexRecord } from "./history-index.js";
import { indexPathOf } from "./run-layout.js";

/** A part of a history, and the loss of each of its steps. */
export interface HistoryPart {
  readonly history: History;
  /** The first state, and how many. */
  readonly first: number;
  readonly count: number;
  /** NaN where a step has none. */
  lossOf(step: number): number;
}

/**
 * Write a part of a history as a recorded history of its own, in the layout that Python's recorder gives it, with its index beside it; one state is in memory.
 *
 * The index comes first: a history without one is damaged, an index without a history is nothing.
 *
 * @param path of the new `history.….safetensors`.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`, also when the history is there already; `DISK_FULL`, `IO_FAILED`.
 */
export function writeHistory(path: string, tensor: string, { history, first, count, lossOf }: HistoryPart): void {
  const { dtype, tokens, dims } = history;
  const state = new Uint8Array(tokens * dims * itemSizes[dtype]);
  const states = Array.from({ length: count }, (_, index) => first + index);
  const read = (index: number) => {
    history.read(index, 1, state);
    return state;
  };
  rmSync(indexPathOf(path), { force: true }); // what a writer left that did not come to its end
  durableCreateFile(indexPathOf(path), (write) => {
    for (const index of states) {
      const step = stepOfState(history, index);
      write(packIndexRecord({ step, crc: crc32(read(index)), loss: lossOf(step) }));
    }
  });
  durableCreateFile(path, (write) => {
    write(headOf(tensor, [count, tokens, dims], dtype, count * state.length));
    for (const index of states) write(read(index));
  });
}

/** Header and `steps_done`. */
function headOf(tensor: string, shape: readonly number[], dtype: string, bytes: number): Uint8Array {
  const entries = {
    __metadata__: { format: "pt", writer: "bh-bridge" },
    steps_done: { dtype: "I64", shape: [], data_offsets: [0, 8] },
    [tensor]: { dtype, shape, data_offsets: [8, 8 + bytes] },
  };
  const [lengthBytes, stepsDoneBytes] = [8, 8];
  const textBytes = historyHeadBytes - lengthBytes - stepsDoneBytes;
  const head = Buffer.alloc(historyHeadBytes, " ");
  head.writeBigUInt64LE(BigInt(textBytes), 0);
  head.write(JSON.stringify(entries), lengthBytes);
  head.writeBigInt64LE(BigInt((shape[0] ?? 1) - 1), historyHeadBytes - stepsDoneBytes);
  return head;
}
