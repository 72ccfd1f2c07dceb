import { basename, dirname } from "node:path";
import { z } from "zod";
import { durableCreateFile } from "../durable-write.js";
import { containedFile, FileBytes, formatInvalid } from "../file-bytes.js";
import { itemSizes, type RowSource, rowChunks } from "../matrix.js";
import { type Json, readJson } from "../read-json.js";
import { rawTensor, type StoredTensor } from "../stored-tensor.js";
import { readSafetensorsHeader } from "./safetensors-header.js";

/** An open file of tensors. */
export interface TensorFile {
  readonly tensors: readonly StoredTensor[];
  readonly metadata: Readonly<Record<string, Json>>;
  close(): void;
}

/**
 * Open a safetensors file: its header is read and checked, no tensor is.
 * @param label how the tensors name their file; the last part of the path by default.
 * @throws {BhBridgeError} `FORMAT_INVALID`, and what `FileBytes` throws.
 */
export function openSafetensors(path: string, label = basename(path)): TensorFile {
  const file = new FileBytes(path);
  try {
    const { entries, metadata } = readSafetensorsHeader(file);
    const tensors = entries.map(({ offset, ...entry }) => rawTensor(file, offset, { ...entry, file: label }));
    return { tensors, metadata, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** All shards are held open; the largest published model has 191. */
const maxShards = 1024;

const indexSchema = z.looseObject({ metadata: z.record(z.string(), z.json()).default({}), weight_map: z.record(z.string(), z.string()) });

/** Opens one shard by its path; tensors name their file by the label. */
type OpenShard = (path: string, label: string) => TensorFile;

/**
 * Open the tensors that an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`) names, each in its shard.
 * @throws {BhBridgeError} `FORMAT_INVALID`, also for shards outside the index's directory and for tensors that their shard lacks; `FILE_NOT_FOUND` for a
 *   missing shard; what `openShard` throws.
 */
export function openSharded(indexPath: string, openShard: OpenShard): TensorFile {
  const checked = indexSchema.safeParse(readJson(indexPath));
  if (!checked.success) throw formatInvalid(indexPath, 0, `it is not an index of shards: ${z.prettifyError(checked.error)}`);
  const { metadata, weight_map } = checked.data;
  const shardNames = [...new Set(Object.values(weight_map))];
  if (shardNames.length > maxShards) throw formatInvalid(indexPath, 0, `it names ${shardNames.length} shards; at most ${maxShards} are opened`);
  const shards = new Map<string, TensorFile>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const name of shardNames) shards.set(name, openShard(containedFile(dirname(indexPath), name), name));
    return { tensors: mappedTensors(indexPath, weight_map, shards), metadata, close };
  } catch (error) {
    close();
    throw error;
  }
}

function mappedTensors(indexPath: string, weightMap: Readonly<Record<string, string>>, shards: ReadonlyMap<string, TensorFile>): StoredTensor[] {
  const byShard = new Map([...shards].map(([name, shard]) => [name, new Map(shard.tensors.map((tensor) => [tensor.name, tensor]))]));
  return Object.entries(weightMap).map(([name, shardName]) => {
    const tensor = byShard.get(shardName)?.get(name);
    if (!tensor) throw formatInvalid(indexPath, 0, `it says that tensor "${name}" is in ${basename(shardName)}, which has no such tensor`);
    return tensor;
  });
}

/** A tensor to be written: its rows are read while the file is written. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rows: RowSource;
}

/** The library aligns its data so. */
const alignment = 8;

/**
 * Write tensors as a safetensors file, in memory that does not grow with them.
 * @throws {BhBridgeError} `FILE_UNWRITABLE` (also when the file exists), `DISK_FULL`, `IO_FAILED`; what reading the rows throws.
 */
export function writeSafetensors(path: string, tensors: readonly WritableTensor[], metadata: Readonly<Record<string, string>> = {}): void {
  const entries: [string, unknown][] = [["__metadata__", { format: "pt", ...metadata }]];
  let end = 0;
  for (const { name, shape, rows } of tensors) {
    const start = end;
    end += shape.reduce((product, length) => product * length, itemSizes[rows.dtype]);
    entries.push([name, { dtype: rows.dtype, shape, data_offsets: [start, end] }]);
  }
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(8 + Math.ceil(text.length / alignment) * alignment, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8));
  text.copy(header, 8);
  durableCreateFile(path, (write) => {
    write(header);
    for (const { rows } of tensors) for (const { bytes } of rowChunks(rows)) write(bytes);
  });
}
