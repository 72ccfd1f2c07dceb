import { basename, dirname, join } from "node:path";
import { hasTokenRows } from "../config/record-schema.js";
import { BhBridgeError, withFallback } from "../errors.js";
import { embeddingHistory, historyTensors } from "../formats/history.js";
import { itemSizes, type RowSource } from "../formats/matrix.js";
import { openSafetensors, type TensorFile } from "../formats/safetensors/safetensors.js";
import { type StateChecks, StateGuard } from "../formats/state-checks.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import { parseChecksums, readChecksumsText, sha256OfFile } from "./checksums.js";
import { type HistoryIndex, hasIndex, historyHeadBytes, mostUncommitted, readHistoryIndex } from "./history-index.js";
import { ownTokensName, recordedStates, stepsDoneName } from "./history-labels.js";
import { historyFile, isHistoryFile, isLaterHistory, recordedName, runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";

/**
 * Open a recorded history whose reads are compared with its checksums. A history without an index, as the notebook writes it, has no checksums.
 * @param label as for `openSafetensors`.
 * @throws {BhBridgeError} `RUN_CORRUPT` when its header, its `steps_done` or its index is damaged; as `openSafetensors`.
 */
export function openCheckedHistory(path: string, label = basename(path)): TensorFile {
  return withChecks(path, () => openSafetensors(path, label));
}

/** As `openCheckedHistory`, for a file that may not be a history. */
export async function checkedFile<File extends TensorFile>(path: string, open: () => Promise<File>): Promise<File> {
  if (!isHistoryFile(basename(path))) return await open();
  const file = await open().catch((error: unknown) => {
    throw hasIndex(path) ? asCorrupt(error) : error;
  });
  return withChecks(path, () => file);
}

function withChecks<File extends TensorFile>(path: string, open: () => File): File {
  if (!hasIndex(path)) return open();
  let file: File | undefined;
  try {
    file = open();
    return { ...file, tensors: checkedTensors(path, file.tensors) };
  } catch (error) {
    file?.close();
    throw asCorrupt(error);
  }
}

/** A file of a run that violates its format is damaged. */
function asCorrupt(error: unknown): unknown {
  return error instanceof BhBridgeError && error.code === "FORMAT_INVALID" ? new BhBridgeError("RUN_CORRUPT", error.message, { cause: error }) : error;
}

function checkedTensors(path: string, tensors: readonly StoredTensor[]): StoredTensor[] {
  const name = historyName(path);
  const known: readonly string[] = [stepsDoneName, name, ownTokensName];
  const [history] = historyTensors(tensors);
  if (!history || history.name !== name || !tensors.every((tensor) => known.includes(tensor.name))) {
    throw corrupt(path, `its header names the tensors ${tensors.map((tensor) => JSON.stringify(tensor.name)).join(", ")}, not ${stepsDoneName} and ${name}`);
  }
  const states = recordedStates(tensors, history, path);
  if (states === undefined) throw corrupt(path, `its header has no ${stepsDoneName}`);
  refuseOtherHead(path, tensors);
  const index = readHistoryIndex(path, states);
  if (!index) return [...tensors];
  if (index.hasMoreThan(isLaterHistory(basename(path)) ? 0 : mostUncommitted) && !wasRewound(dirname(path))) {
    throw corrupt(path, `${stepsDoneName} counts ${states} states, but ${basename(index.path)} has records of many more`);
  }
  return tensors.map((tensor) => (tensor === history ? { ...tensor, rows: () => checkedRows(path, tensor, index) } : tensor));
}

/** The tensor in the file of a history. */
function historyName(path: string): string {
  return basename(path) === historyFile ? embeddingHistory : (/^history\.(.+)\.safetensors$/.exec(basename(path))?.[1] ?? embeddingHistory);
}

/** Compare header and `steps_done` of an ended run with their checksum. The tokens of a history that was recorded later have the file's checksum. */
function refuseOtherHead(path: string, tensors: readonly StoredTensor[]): void {
  const directory = dirname(path);
  const text = readChecksumsText(directory);
  const sums = text === undefined ? undefined : parseChecksums(text);
  const head = sums?.heads.get(basename(path));
  const hasTokens = tensors.some(({ name }) => name === ownTokensName);
  const whole = hasTokens ? sums?.files.get(basename(path)) : undefined;
  const isOther = (head !== undefined && head !== sha256OfFile(path, historyHeadBytes)) || (whole !== undefined && whole !== sha256OfFile(path));
  // A resumed run loses its checksums before anything else changes.
  if (!isOther || readChecksumsText(directory) !== text) return;
  const part = whole === undefined ? `header or ${stepsDoneName}` : "content";
  throw corrupt(path, `its ${part} does not have the SHA-256 in ${join(directory, runFiles.checksums)}`);
}

/** Whether an inexact resumption discarded states; their records remain until they are overwritten. */
function wasRewound(directory: string): boolean {
  return withFallback(
    () => readRunManifest(directory).resumes.some(({ exact }) => !exact),
    () => true, // unknown
  );
}

function checkedRows(path: string, tensor: StoredTensor, { path: indexPath, crcs, steps }: HistoryIndex): RowSource {
  const rows = tensor.rows();
  const { raw } = rows;
  const [, rowsOfState = 0, columns = 0] = tensor.shape;
  if (!raw) return rows;
  const rowBytes = columns * itemSizes[rows.dtype];
  const checks: StateChecks = {
    index: indexPath,
    start: raw.offset,
    stateBytes: rowsOfState * rowBytes,
    rowBytes,
    itemBytes: itemSizes[rows.dtype],
    crcs,
    steps,
    rowName: hasTokenRows(recordedName(basename(path))) ? "token" : "row",
  };
  const guard = new StateGuard(path, checks, (position, target) => rows.read((position - raw.offset) / rowBytes, target.byteLength / rowBytes, target));
  return {
    ...rows,
    raw: { ...raw, checks },
    read(first, count, target) {
      const wanted = target.subarray(0, count * rowBytes);
      rows.read(first, count, wanted);
      guard.check(raw.offset + first * rowBytes, wanted);
    },
  };
}

function corrupt(path: string, reason: string): BhBridgeError {
  return new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${reason}`);
}
