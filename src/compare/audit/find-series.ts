import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BhBridgeError, withFallback } from "../../errors.js";
import { isDirectory } from "../../formats/file-bytes.js";
import { holdsModel, readTrainerState } from "../../formats/hf/hf-directory.js";
import { itemSizes } from "../../formats/matrix.js";
import { readableDtype, rowsAndColumns, type StoredTensor, type TensorInfo } from "../../formats/stored-tensor.js";
import { openTensors } from "../../runs/open-run-directory.js";
import { checkpointsFolder, isRunDirectory } from "../../runs/run-layout.js";

/** One file of weights, open for reading. */
export interface WeightFile {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of the file, or SHA-1 of a blob of git, if its server reports one. */
  readonly hash: string | null;
  readonly tensors: readonly TensorInfo[];
  /** Rows of a tensor, over its last dimension. */
  read(tensor: TensorInfo, first: number, count: number): Promise<Uint8Array>;
}

export interface OpenCheckpoint {
  readonly files: readonly WeightFile[];
  /** What cannot be checked. */
  readonly limits?: readonly string[];
  close(): void;
}

/** A checkpoint that was found, but not opened. */
export interface FoundCheckpoint {
  readonly name: string;
  /** From the name, else from `trainer_state.json`; null if neither has one. */
  readonly step: number | null;
  /** The step in `trainer_state.json`. */
  readonly trainerStep?: number | undefined;
  /** Whether the log shows a learning rate of 0 for all steps after `step`. */
  isAtRest?(step: number): boolean;
  open(): Promise<OpenCheckpoint>;
  /** Bytes received from a server until now; undefined if only `read` reads bytes. */
  bytesReceived?(): number;
}

/** Checkpoints of one training in the order of their steps. */
export interface FoundSeries {
  readonly name: string;
  readonly checkpoints: readonly FoundCheckpoint[];
  /** Bytes received to find them. */
  readonly bytesReceived?: number;
}

const namedStep = /(?:checkpoint|ckpt|step|iteration|iter)[-_]?(\d{1,15})(?!\d)/i;
const lastNumber = /(?:^|[-_.])(\d{1,15})$/;

/** The step in the name of a checkpoint or revision: 1000 for `checkpoint-1000`, `step1000-tokens2B`, `run-1000`. */
export function stepInName(name: string): number | null {
  const digits = (namedStep.exec(name) ?? lastNumber.exec(name.replace(/\.[a-z]+$/, "")))?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Group checkpoints into series: the children of a folder such as `checkpoint-*`, and checkpoints that have a folder in common.
 * @throws {BhBridgeError} `USAGE` for a folder without checkpoints, and for a series in which only some have a step; `FILE_NOT_FOUND`.
 */
export function findSeries(paths: readonly string[]): FoundSeries[] {
  const groups = new Map<string, string[]>();
  const parents = new Set<string>();
  for (const path of new Set(paths.map((given) => given.replace(/(?<=.)\/+$/, "")))) {
    const children = isDirectory(path) ? checkpointsIn(path) : [];
    if (children.length > 0) parents.add(path);
    else if (isDirectory(path) && !holdsModel(path) && stepInName(basename(path)) === null) {
      throw new BhBridgeError("USAGE", `${path} has neither a model nor checkpoints such as checkpoint-1000 or step1000`);
    }
    const parent = children.length > 0 ? path : dirname(path);
    groups.set(parent, [...(groups.get(parent) ?? []), ...(children.length > 0 ? children : [path])]);
  }
  const isScattered = groups.size > 1 && parents.size === 0 && [...groups.values()].every(({ length }) => length === 1);
  const all: [string, string[]][] = isScattered ? [["the given checkpoints", [...groups.values()].flat()]] : [...groups];
  return all.map(([name, members]) => ({ name, checkpoints: inOrder([...new Set(members)].map(localCheckpoint)) }));
}

function checkpointsIn(directory: string): string[] {
  const folder = isRunDirectory(directory) ? join(directory, checkpointsFolder) : directory;
  const names = withFallback(
    () => (isDirectory(folder) ? readdirSync(folder, { withFileTypes: true }) : []),
    () => [],
  );
  return names.filter((entry) => !entry.isFile() && namedStep.exec(entry.name)?.index === 0).map((entry) => join(folder, entry.name));
}

/** Sort checkpoints by step. @throws {BhBridgeError} `USAGE` if only some have a step. */
export function inOrder(checkpoints: readonly FoundCheckpoint[]): FoundCheckpoint[] {
  const unknown = checkpoints.filter(({ step }) => step === null);
  if (unknown.length > 0 && unknown.length < checkpoints.length) {
    const names = unknown.map(({ name }) => name).join(", ");
    throw new BhBridgeError("USAGE", `the step of ${names} is unknown: its name has no number, and it has no trainer_state.json. Rename or omit it`);
  }
  return [...checkpoints].sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
}

function localCheckpoint(path: string): FoundCheckpoint {
  const state = withFallback(
    () => (isDirectory(path) ? readTrainerState(path) : undefined),
    () => undefined, // its weights can be audited without it
  );
  return {
    name: path,
    step: stepInName(basename(path)) ?? state?.global_step ?? null,
    trainerStep: state?.global_step,
    isAtRest(from) {
      const rates = (state?.log_history ?? []).filter(({ step }) => typeof step === "number" && step > from).map((entry) => entry["learning_rate"]);
      const known = rates.filter((rate) => rate !== undefined);
      return known.length > 0 && known.every((rate) => rate === 0);
    },
    open: () => openLocal(path),
  };
}

async function openLocal(path: string): Promise<OpenCheckpoint> {
  if (isDirectory(path) && !holdsModel(path)) {
    throw new BhBridgeError("FILE_NOT_FOUND", `${path} has no model.safetensors, pytorch_model.bin or index of their shards`);
  }
  const opened = await openTensors(path);
  const byFile = new Map<string, StoredTensor[]>();
  for (const tensor of opened.tensors) byFile.set(tensor.file, [...(byFile.get(tensor.file) ?? []), tensor]);
  const stored = new Map(opened.tensors.map((tensor) => [tensor.name, tensor]));
  const read = async ({ name }: TensorInfo, first: number, count: number): Promise<Uint8Array> => {
    const tensor = stored.get(name);
    if (!tensor) throw new BhBridgeError("TENSOR_NOT_FOUND", `${path} has no tensor "${name}"`);
    const bytes = new Uint8Array(count * rowsAndColumns(tensor.shape).columns * itemSizes[readableDtype(tensor, path)]);
    tensor.rows().read(first, count, bytes);
    return bytes;
  };
  const files = [...byFile].map(([name, tensors]) => ({ name, hash: null, tensors, read, bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0) }));
  return { files, close: () => opened.close() };
}
