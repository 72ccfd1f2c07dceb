import { basename, dirname } from "node:path";
import { z } from "zod";
import { containedFile } from "../contained-file.js";
import { formatInvalid } from "../format-invalid.js";
import { readJson } from "../read-json.js";
import type { StoredTensor } from "../stored-tensor.js";
import type { TensorFile } from "./safetensors.js";

/** All shards are held open; the largest published model has 191. */
const maxShards = 1024;

const indexSchema = z.looseObject({ metadata: z.record(z.string(), z.json()).default({}), weight_map: z.record(z.string(), z.string()) });

/** Opens one shard by its path; tensors name their file by the label. */
type OpenShard = (path: string, label: string) => TensorFile;

/**
 * Open the tensors that an index (`model.safetensors.index.json`, `pytorch_model.bin.index.json`) names, each in its shard.
 *
 * @throws {BhBridgeError} `FORMAT_INVALID`, also for shards outside the index's directory and for tensors that their shard lacks;
 *   `FILE_NOT_FOUND` for a missing shard; what `openShard` throws.
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
