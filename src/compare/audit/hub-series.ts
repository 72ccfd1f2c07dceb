import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { formatInvalid } from "../../formats/file-bytes.js";
import { type HubFile, HubFiles } from "../../formats/hf/hub-files.js";
import { type Dtype, itemSizes } from "../../formats/matrix.js";
import { readSafetensorsHeader } from "../../formats/safetensors/safetensors-header.js";
import { rowsAndColumns, type TensorInfo } from "../../formats/stored-tensor.js";
import { type FoundCheckpoint, type FoundSeries, inOrder, type OpenCheckpoint, stepInName, type WeightFile } from "./find-series.js";

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * The revisions of a model on a server as a series.
 * @param patterns names or patterns with `*`, separated by commas (default: all names with a step).
 * @throws {BhBridgeError} `USAGE` if none matches; as `HubFiles`.
 */
export async function findHubSeries(address: string, patterns: string | undefined, signal?: AbortSignal): Promise<FoundSeries> {
  const refs = new HubFiles(address, signal);
  const wanted = (patterns ?? "*").split(",").map((pattern) => pattern.trim());
  const isListed = wanted.some((pattern) => pattern.includes("*"));
  const known = isListed ? await refs.revisions() : wanted;
  const expressions = wanted.map((pattern) => new RegExp(`^${pattern.split("*").map(escapeExpression).join(".*")}$`));
  const names = known.filter((name) => expressions.some((expression) => expression.test(name)) && (patterns !== undefined || stepInName(name) !== null));
  if (names.length === 0) {
    const shown = known.slice(0, 10).join(", ");
    throw new BhBridgeError("USAGE", `no revision of ${address} matches ${patterns ?? "a name with a step, such as step1000"}; it has ${shown || "none"}`);
  }
  return { name: address, bytesReceived: refs.bytesReceived, checkpoints: inOrder(names.map((name) => hubCheckpoint(address, name, signal))) };
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function hubCheckpoint(address: string, revision: string, signal?: AbortSignal): FoundCheckpoint {
  const hub = new HubFiles(address, signal);
  return {
    name: `${address}@${revision}`,
    step: stepInName(revision),
    open: () => openRevision(hub, revision, address),
    bytesReceived: () => hub.bytesReceived,
  };
}

async function openRevision(hub: HubFiles, revision: string, address: string): Promise<OpenCheckpoint> {
  const close = () => undefined;
  for (const [name, open] of [["model.safetensors", openSafetensors] as const, ["pytorch_model.bin", openOpaque] as const]) {
    const single = await hub.open(revision, name);
    if (single) return { files: [await open(single, name)], limits: limitsOf(name), close };
    const index = await hub.json(revision, `${name}.index.json`);
    if (index === undefined) continue;
    const checked = indexSchema.safeParse(index);
    const at = `${address}@${revision}/${name}.index.json`;
    if (!checked.success) throw formatInvalid(at, 0, "it is not an index of shards");
    const files = new Map<string, WeightFile>();
    for (const shard of new Set(Object.values(checked.data.weight_map))) {
      const file = await hub.open(revision, shard);
      if (!file) throw new BhBridgeError("FILE_NOT_FOUND", `${at} names ${shard}, which does not exist`);
      files.set(shard, await open(file, shard));
    }
    const lost = Object.entries(checked.data.weight_map).find(
      ([tensor, shard]) => open === openSafetensors && !files.get(shard)?.tensors.some((each) => each.name === tensor),
    );
    if (lost) throw formatInvalid(at, 0, `it says that tensor "${lost[0]}" is in ${lost[1]}, which has no such tensor`);
    return { files: [...files.values()], limits: limitsOf(name), close };
  }
  throw new BhBridgeError("FILE_NOT_FOUND", `${address}@${revision} has no model.safetensors, pytorch_model.bin or index of their shards`);
}

function limitsOf(name: string): string[] {
  return name.endsWith(".bin") ? [`${name} is compared only by the hash that its server reports, and its content is not checked`] : [];
}

function openOpaque({ size, hash }: HubFile, name: string): WeightFile {
  return { name, bytes: size, hash, tensors: [], read: async () => new Uint8Array() };
}

async function openSafetensors(file: HubFile, name: string): Promise<WeightFile> {
  const { path, size, hash } = file;
  if (size < 8) throw formatInvalid(path, size, `a header should follow, but the file has ${size} bytes`);
  const length = new DataView((await file.read(0, 8)).buffer).getBigUint64(0, true);
  const header = length > 0n && length <= 100_000_000n && length + 8n <= BigInt(size) ? await file.read(8, Number(length)) : new Uint8Array();
  const head = Buffer.alloc(8 + header.length);
  head.writeBigUInt64LE(length);
  head.set(header, 8);
  // What the header says is checked as in a local file; it reads no further.
  const { entries } = readSafetensorsHeader({ path, size, read: (offset, count) => Uint8Array.from(head.subarray(offset, offset + count)) });
  const offsets = new Map(entries.map((entry) => [entry.name, entry.offset]));
  const read = (tensor: TensorInfo, first: number, count: number): Promise<Uint8Array> => {
    const rowBytes = rowsAndColumns(tensor.shape).columns * itemSizes[tensor.dtype as Dtype];
    return file.read((offsets.get(tensor.name) ?? 0) + first * rowBytes, count * rowBytes);
  };
  return { name, bytes: size, hash, tensors: entries.map((entry) => ({ ...entry, file: name })), read };
}
