import { z } from "zod";
import { callArguments } from "../../bridge/call-arguments.js";
import { BhBridgeError } from "../../errors.js";
import { formatInvalid } from "../../formats/file-bytes.js";
import { type HubFile, HubFiles } from "../../formats/hf/hub-files.js";
import { type Dtype, itemSizes } from "../../formats/matrix.js";
import { readSafetensorsHeader } from "../../formats/safetensors/safetensors-header.js";
import { rowsAndColumns, type TensorInfo } from "../../formats/stored-tensor.js";
import { findFaults, findingSchema, sharedFaults } from "./find-faults.js";
import { type FoundCheckpoint, type FoundSeries, findSeries, inOrder, type OpenCheckpoint, stepInName, type WeightFile } from "./find-series.js";
import { type CheckpointFacts, readCheckpoint } from "./read-checkpoint.js";

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/**
 * The revisions of a model on a server as a series.
 * @param patterns names or patterns with `*`, separated by commas (default: all names with a step).
 * @throws {BhBridgeError} `USAGE` if none matches; as `HubFiles`.
 */
async function findHubSeries(address: string, patterns: string | undefined, signal?: AbortSignal): Promise<FoundSeries> {
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

const size = z.int().nonnegative();

const checkpointSchema = z.strictObject({
  /** Its path, or its address with the revision. */
  name: z.string(),
  /** From the name, else from `trainer_state.json`. */
  step: size.nullable(),
  bytes: size,
  bytesRead: size,
  /** Equal for equal weights: SHA-256 of all tensors, or the hashes of the files that a server reports; null if unknown. */
  hash: z.string().nullable(),
  /** Root mean square of the sampled embedding. */
  rms: z.number().nullable(),
});

/** Result of an audit. */
export const auditSchema = z.strictObject({
  series: z.array(
    z.strictObject({
      name: z.string(),
      /** What was compared: rows of the embedding and of the largest other matrix of each file. */
      sampled: z.array(z.strictObject({ tensor: z.string(), rows: size, of: size })),
      checkpoints: z.array(checkpointSchema),
    }),
  ),
  findings: z.array(findingSchema),
  /** What is allowed, undecided, or could not be checked. */
  notes: z.array(z.string()),
  bytes: size,
  bytesRead: size,
});
export type Audit = z.output<typeof auditSchema>;

const auditArguments = z.strictObject({
  paths: z.array(z.string()).min(1),
  /** Branches and tags of a model on a server; `*` stands for any characters, a comma separates patterns (default: `step*`). */
  revisions: z.string().optional(),
  /** Read only headers and sampled rows of local files, as over HTTP. */
  sample: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  /** Called after each checkpoint. */
  onProgress: z.custom<(done: number, total: number) => void>((value) => typeof value === "function", "expected a function").optional(),
});
/** Options of `audit`. */
export type AuditOptions = Omit<z.input<typeof auditArguments>, "paths">;

/**
 * Check whether a series of checkpoints is what it claims to be: duplicates, wrong order, missing and damaged files, foreign weights, NaN.
 * @param paths checkpoints, folders of checkpoints, or addresses of models on a server with the interface of the Hugging Face Hub.
 * @throws {BhBridgeError} `USAGE` for a wrong argument and for a folder without checkpoints; `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FORMAT_UNSUPPORTED`,
 *   `IO_FAILED`, `ABORTED`.
 */
export async function audit(paths: string | readonly string[], options: AuditOptions = {}): Promise<Audit> {
  const given = callArguments("audit", auditArguments, { ...options, paths: typeof paths === "string" ? [paths] : paths });
  const { sample = false, signal, onProgress } = given;
  const addresses = given.paths.filter((path) => /^https?:\/\//.test(path));
  if (given.revisions !== undefined && addresses.length === 0) {
    throw new BhBridgeError("USAGE", "revisions: only an address such as https://huggingface.co/org/model has revisions");
  }
  const found: FoundSeries[] = findSeries(given.paths.filter((path) => !addresses.includes(path)));
  for (const address of new Set(addresses)) found.push(await findHubSeries(address, given.revisions, signal));
  const total = found.reduce((sum, { checkpoints }) => sum + checkpoints.length, 0);
  let done = 0;
  const series: { name: string; checkpoints: CheckpointFacts[] }[] = [];
  for (const { name, checkpoints, bytesReceived } of found) {
    const isRemote = bytesReceived !== undefined;
    const facts = await mapInParallel(checkpoints, isRemote ? requestsAtOnce : 1, async (checkpoint) => {
      const read = await readCheckpoint(checkpoint, !sample && !isRemote, signal);
      onProgress?.(++done, total);
      return read;
    });
    series.push({ name, checkpoints: facts });
  }
  return conclude(
    series,
    found.reduce((sum, { bytesReceived = 0 }) => sum + bytesReceived, 0),
  );
}

/** Checkpoints that are read from a server at a time. */
const requestsAtOnce = 8;

async function mapInParallel<Item, Result>(items: readonly Item[], atOnce: number, task: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const rest = [...items.entries()];
  const work = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await task(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

function conclude(series: readonly { name: string; checkpoints: CheckpointFacts[] }[], bytesToFind: number): Audit {
  const faults = [...series.map(({ checkpoints }) => findFaults(checkpoints)), sharedFaults(series)];
  const all = series.flatMap(({ checkpoints }) => checkpoints);
  return {
    series: series.map(({ name, checkpoints }) => ({ name, sampled: sampledIn(checkpoints), checkpoints: checkpoints.map(summary) })),
    findings: faults.flatMap(({ findings }) => findings),
    notes: [...new Set([...faults.flatMap(({ notes }) => notes), ...all.flatMap(({ limits }) => limits)])],
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesRead: all.reduce((sum, { bytesRead }) => sum + bytesRead, bytesToFind),
  };
}

function sampledIn(checkpoints: readonly CheckpointFacts[]): Audit["series"][number]["sampled"] {
  const files = checkpoints.find(({ fault }) => !fault)?.files ?? [];
  return files.flatMap(({ samples }) => samples.map(({ tensor, rows, of }) => ({ tensor, rows, of })));
}

function summary({ found: { name, step }, bytes, bytesRead, weights, rms }: CheckpointFacts): z.output<typeof checkpointSchema> {
  return { name, step, bytes, bytesRead, hash: weights, rms: rms !== null && Number.isFinite(rms) ? rms : null };
}
