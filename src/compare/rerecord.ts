import { existsSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { hasTokenizer } from "../config/data-schema.js";
import { hasTokenRows, type RecordableTensor, recordableTensorSchema, recordSchema } from "../config/record-schema.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { durableCreateFile } from "../formats/durable-write.js";
import { type History, readState, stepOfState, stepsOf } from "../formats/history.js";
import { packIndexRecord } from "../formats/index-record.js";
import { type Dtype, itemSizes } from "../formats/matrix.js";
import { requireUnlocked } from "../python/lock-holders.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { lossesOf } from "../runner/compare-recordings.js";
import { openRun, type Run } from "../runner/open-run.js";
import { type FollowedTraining, followTraining, type TrainListener } from "../runner/train.js";
import { checkpointBefore, pythonOf, requireOwnStart, requireSameBits, type TrainAgainPlan, trainAgain } from "../runner/train-again.js";
import { coverFiles } from "../runs/checksums.js";
import { historyHeadBytes } from "../runs/history-index.js";
import { ownTokensName } from "../runs/history-labels.js";
import { openHistory, recordedSteps } from "../runs/open-history.js";
import { chosenTokens, tokenTextOf } from "../runs/recorded-tokens.js";
import { indexPathOf, laterHistoryFile } from "../runs/run-layout.js";

interface HistoryPart {
  readonly history: History;
  /** The first state. */
  readonly first: number;
  /** The number of states. */
  readonly count: number;
  /** Tokens whose rows are written, and listed in the file (default: all rows). */
  readonly tokens?: readonly number[] | undefined;
  /** NaN for a step without a loss. */
  lossOf(step: number): number;
}

/**
 * Write a part of a history as a separate recorded history with its index, in the layout of Python's recorder; one state is in memory. The index is written first,
 * since a history without an index counts as damaged.
 * @param path of the new `history.….safetensors`.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`, also if the history exists; `DISK_FULL`, `IO_FAILED`.
 */
export function writeHistory(path: string, tensor: string, { history, first, count, tokens, lossOf }: HistoryPart): void {
  const { dtype, dims } = history;
  const states = Array.from({ length: count }, (_, index) => first + index);
  const rows = tokens && history.rowTokens.rowsOf(tokens);
  rmSync(indexPathOf(path), { force: true }); // left by an interrupted writer
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

/** One state, or some of its rows. */
function stateOf(history: History, index: number, rows: readonly number[] | undefined): Uint8Array {
  const { bytes } = readState(history, index);
  if (!rows) return bytes;
  const rowBytes = history.dims * itemSizes[history.dtype];
  return Buffer.concat(rows.map((row) => bytes.subarray(row * rowBytes, (row + 1) * rowBytes)));
}

/** Header and `steps_done`. @param facts `shape` is `[states, rows, dims]`. */
function headOf({ tensor, dtype, shape, tokens }: { tensor: string; dtype: Dtype; shape: number[]; tokens: readonly number[] | undefined }): Uint8Array {
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
  head.writeBigInt64LE(BigInt((shape[0] ?? 0) - 1), historyHeadBytes - stepsDoneBytes);
  return head;
}

/** Result of recording further tensors. */
export const rerecordingSchema = z.strictObject({
  /** Absolute path. */
  run: z.string(),
  /** First and last step. */
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  tensors: z.array(z.string()),
  /** Number of recomputed states whose bits equal the recorded ones. */
  verified: z.int().positive(),
  /** Added files, by their paths in the run. */
  files: z.array(z.string()),
});
export type Rerecording = z.output<typeof rerecordingSchema>;

const step = z.int().nonnegative();
const rerecordArguments = z.strictObject({
  run: z.string(),
  tensors: z.array(recordableTensorSchema).min(1).readonly(),
  /** First and last step (default: all recorded steps). */
  steps: z.tuple([step, step]).readonly().optional(),
  /** Tokens whose rows to record (default: those of the run). */
  rows: recordSchema.shape.rows.unwrap().optional(),
  /** Present path of the same text. */
  corpus: z.string().optional(),
  /** Path of an interpreter (default: from the run's configuration). */
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});
/** Options of `rerecord`. */
export type RerecordOptions = Omit<z.input<typeof rerecordArguments>, "run">;

/** Steps of a run to train again, and tensors to record. */
interface RerecordPlan extends TrainAgainPlan {
  readonly from: number;
  readonly tensors: readonly RecordableTensor[];
  /** Tokens whose rows are recorded, if not those of the run. */
  readonly tokens: readonly number[] | undefined;
}

/**
 * Record further tensors of a run's steps: train again from the checkpoint before them, or from the start, verify all bits of every recorded state, and add the
 * tensors to the run. Their bits are those of recording them at once. Iterate over the result to follow the events of the training.
 * @param run path of its directory.
 * @throws {BhBridgeError} `RESUME_DIVERGED` with the first difference, if nothing is added; `USAGE` for tensors that the run has, and for steps that it does not
 * have; `RUN_LOCKED`, `RESUME_MISMATCH`, `FILE_UNWRITABLE`, `DISK_FULL`, `ABORTED`, and as `train`.
 */
export function rerecord(run: string, options: RerecordOptions): FollowedTraining<Rerecording> {
  return followTraining(async (tell) => {
    const { python, signal, ...wanted } = callArguments("rerecord", rerecordArguments, { ...options, run });
    const plan = await planRerecording(run, wanted);
    return rerecordRun(plan, await resolvePython(pythonOf(plan.run, python), signal), { signal }, { onEvent: tell });
  });
}

/** Check whether further tensors of a run can be recorded, before anything is started. @throws {BhBridgeError} as `rerecord`. */
export async function planRerecording(path: string, { tensors, steps, rows, corpus }: Omit<RerecordOptions, "python" | "signal">): Promise<RerecordPlan> {
  const run = await openRun(resolve(path));
  const { directory, config } = run;
  await requireUnlocked(directory);
  const known = tensors.find((tensor) => config.record.tensors.includes(tensor));
  if (known !== undefined) throw new BhBridgeError("USAGE", `${directory} has already recorded ${known} in every recorded step: there is nothing to add`);
  const recorded = await recordedSteps(directory);
  const [from, until] = steps ?? [recorded[0] ?? 0, recorded.at(-1) ?? 0];
  requireRecorded(directory, recorded, from, until);
  for (const tensor of tensors) {
    const file = join(directory, laterHistoryFile(tensor, from, until));
    if (existsSync(file)) throw new BhBridgeError("USAGE", `${file} already exists: these steps of ${tensor} were recorded later before`);
  }
  const checkpoint = checkpointBefore(directory, from);
  if (checkpoint === undefined) requireOwnStart(run);
  const tokens = rows === undefined ? undefined : tokensOf(run, rows);
  // The run's own rows are needed too, for verification.
  const record: RunConfig["record"] = {
    ...config.record,
    tensors: [...new Set([...config.record.tensors, ...tensors])],
    ...(tokens && { rows: "all" }),
    model: "off",
  };
  return { run, from, until, tensors: [...new Set(tensors)], tokens, checkpoint, record, corpus };
}

function tokensOf({ directory, config, manifest }: Run, rows: RunConfig["record"]["rows"]): readonly number[] {
  const { vocab_size } = config.model;
  const chosen =
    chosenTokens(rows, {
      vocabulary: vocab_size,
      dead: () => manifest.corpus.deadTokens,
      text: hasTokenizer(config) ? tokenTextOf(directory, config) : undefined,
    }) ?? [];
  const beyond = chosen.find((token) => token >= vocab_size);
  if (beyond === undefined) return [...new Set(chosen)].sort((a, b) => a - b);
  throw new BhBridgeError("USAGE", `${directory} has the tokens 0 to ${vocab_size - 1}, not ${beyond}`);
}

function requireRecorded(directory: string, recorded: readonly number[], from: number, to: number): void {
  const [first = 0, last = 0] = [recorded[0], recorded.at(-1)];
  if (from > to) throw new BhBridgeError("USAGE", `the steps ${from}..${to} run backwards`);
  if (to > last || from < first) throw new BhBridgeError("USAGE", `${directory} has recorded the steps ${first} to ${last}, not ${from}..${to}`);
  if (recorded.some((step) => step >= from && step <= to)) return;
  throw new BhBridgeError("USAGE", `${directory} has recorded none of the steps ${from}..${to}: its record.every skipped them`);
}

/** Record further tensors with a given interpreter. */
export async function rerecordRun(
  plan: RerecordPlan,
  python: UsablePython,
  options: Pick<RerecordOptions, "signal">,
  listener: TrainListener = {},
): Promise<Rerecording> {
  const { run, from, until, tensors } = plan;
  return await trainAgain(plan, python, options, listener, async (again) => {
    requireSameBits(run, again, "nothing was added to it");
    const recorded = new Set(await recordedSteps(run.directory));
    const verified = (await recordedSteps(again.directory)).filter((step) => recorded.has(step)).length;
    const losses = lossesOf(again.directory);
    const files: string[] = [];
    for (const tensor of tensors) files.push(...(await addTensor(plan, tensor, again.directory, (step) => losses.get(step) ?? Number.NaN)));
    coverFiles(run.directory, files);
    return { run: run.directory, from, to: until, tensors: [...tensors], verified, files };
  });
}

/** Add one tensor to the run. @returns the paths of the new files in the run. */
async function addTensor(
  { run, from, until, tokens }: RerecordPlan,
  tensor: RecordableTensor,
  again: string,
  lossOf: (step: number) => number,
): Promise<string[]> {
  const history = await openHistory(again, tensor);
  try {
    const steps = stepsOf(history);
    const first = steps.findIndex((step) => step >= from);
    const file = laterHistoryFile(tensor, from, until);
    writeHistory(join(run.directory, file), `${tensor}.${from}-${until}`, {
      history,
      first,
      count: steps.filter((step) => step >= from && step <= until).length,
      tokens: hasTokenRows(tensor) ? tokens : undefined,
      lossOf,
    });
    return [file, basename(indexPathOf(file))];
  } finally {
    history.close();
  }
}
