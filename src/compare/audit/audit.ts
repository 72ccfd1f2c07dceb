import { z } from "zod";
import { callArguments } from "../../bridge/call-arguments.js";
import { BhBridgeError } from "../../errors.js";
import { findFaults, findingSchema, sharedFaults } from "./find-faults.js";
import { type FoundSeries, findSeries } from "./find-series.js";
import { findHubSeries } from "./hub-series.js";
import { type CheckpointFacts, readCheckpoint } from "./read-checkpoint.js";

const size = z.int().nonnegative();

/** What was read of one checkpoint. */
const checkpointSchema = z.strictObject({
  /** Its path, or its address with the revision. */
  name: z.string(),
  /** From the name, else from `trainer_state.json`. */
  step: size.nullable(),
  /** Bytes of its weights. */
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

export interface AuditOptions {
  /** Branches and tags of a model on a server; `*` stands for any characters, a comma separates patterns (default: `step*`). */
  revisions?: string | undefined;
  /** Read only headers and sampled rows of local files, as over HTTP. */
  sample?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Called after each checkpoint. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

const auditArguments = z.strictObject({
  paths: z.array(z.string()).min(1),
  revisions: z.string().optional(),
  sample: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<AuditOptions["onProgress"]>((value) => value === undefined || typeof value === "function", "expected a function").optional(),
});

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
