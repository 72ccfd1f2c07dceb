import { rmSync } from "node:fs";
import { crc32 } from "node:zlib";
import { durableCreateFile } from "../formats/durable-write.js";
import type { History } from "../formats/history.js";
import { packIndexRecord } from "../formats/index-record.js";
import { type Dtype, itemSizes } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";
import { stepOfState } from "../formats/state-of-step.js";
import { historyHeadBytes } from "./history-index.js";
import { ownTokensName } from "./own-labels.js";
import { indexPathOf } from "./run-layout.js";

/** A part of a history, and the loss of each of its steps. */
interface HistoryPart {
  readonly history: History;
  /** The first state, and how many. */
  readonly first: number;
  readonly count: number;
  /** The tokens whose rows are taken, which then stand in the file; all rows when absent. */
  readonly tokens?: readonly number[] | undefined;
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
export function writeHistory(path: string, tensor: string, { history, first, count, tokens, lossOf }: HistoryPart): void {
  const { dtype, dims } = history;
  const states = Array.from({ length: count }, (_, index) => first + index);
  const rows = tokens && history.rowTokens.rowsOf(tokens);
  rmSync(indexPathOf(path), { force: true }); // what a writer left that did not come to its end
  durableCreateFile(indexPathOf(path), (write) => {
    for (const index of states) {
      const step = stepOfState(history, index);
      write(packIndexRecord({ step, crc: crc32(stateOf(history, index, rows)), loss: lossOf(step) }));
    }
  });
  durableCreateFile(path, (write) => {
    write(headOf({ tensor, dtype, shape: [count, rows?.length ?? history.tokens, dims], tokens }));
    if (tokens) write(new Uint8Array(BigInt64Array.from(tokens, BigInt).buffer));
    for (const index of states) write(stateOf(history, index, rows));
  });
}

/** One state, or chosen rows of it. */
function stateOf(history: History, index: number, rows: readonly number[] | undefined): Uint8Array {
  const { bytes } = readState(history, index);
  if (!rows) return bytes;
  const rowBytes = history.dims * itemSizes[history.dtype];
  return Buffer.concat(rows.map((row) => bytes.subarray(row * rowBytes, (row + 1) * rowBytes)));
}

interface HeadFacts {
  readonly tensor: string;
  readonly dtype: Dtype;
  readonly shape: readonly [states: number, rows: number, dims: number];
  readonly tokens: readonly number[] | undefined;
}

/** Header and `steps_done`. */
function headOf({ tensor, dtype, shape, tokens }: HeadFacts): Uint8Array {
  const [lengthBytes, stepsDoneBytes, tokenBytes] = [8, 8, 8];
  const begin = stepsDoneBytes + tokenBytes * (tokens?.length ?? 0); // tokens come first, where they are aligned
  const end = begin + shape.reduce((product, size) => product * size, itemSizes[dtype]);
  const entries = {
    __metadata__: { format: "pt", writer: "bh-bridge" },
    steps_done: { dtype: "I64", shape: [], data_offsets: [0, stepsDoneBytes] },
    [tensor]: { dtype, shape, data_offsets: [begin, end] },
    ...(tokens && { [ownTokensName]: { dtype: "I64", shape: [tokens.length], data_offsets: [stepsDoneBytes, begin] } }),
  };
  const head = Buffer.alloc(historyHeadBytes, " ");
  head.writeBigUInt64LE(BigInt(historyHeadBytes - lengthBytes - stepsDoneBytes), 0);
  head.write(JSON.stringify(entries), lengthBytes);
  head.writeBigInt64LE(BigInt(shape[0] - 1), historyHeadBytes - stepsDoneBytes);
  return head;
}
