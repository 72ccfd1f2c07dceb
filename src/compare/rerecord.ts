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
import { openRun, type Run } from "../runner/open-run.js";
import { type FollowedTraining, followTraining, type TrainListener } from "../runner/train.js";
import { coverFiles } from "../runs/checksums.js";
import { historyHeadBytes } from "../runs/history-index.js";
import { ownTokensName } from "../runs/history-labels.js";
import { openHistory } from "../runs/open-history.js";
import { chosenTokens, tokenTextOf } from "../runs/recorded-tokens.js";
import { indexPathOf, laterHistoryFile } from "../runs/run-layout.js";
import { lossesOf } from "./compare-recordings.js";
import { checkpointBefore, pythonOf, requireOwnStart, type TrainAgainPlan, type TrainedAgain, trainAgain } from "./train-again.js";

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
 * The index comes first: a history without one is damaged, an index without a history is nothing.
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

/** What was recorded later. */
export const rerecordingSchema = z.strictObject({
  /** Absolute path. */
  run: z.string(),
  /** First and last of the steps. */
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
  tensors: z.array(z.string()),
  /** States that were computed again and found equal to what the run had recorded, in every bit. */
  verified: z.int().positive(),
  /** What was added to the run, by its path in it. */
  files: z.array(z.string()),
});
export type Rerecording = z.output<typeof rerecordingSchema>;

/** What is recorded later. */
export interface RerecordOptions {
  tensors: readonly RecordableTensor[];
  /** First and last step; all that the run recorded when left out. */
  steps?: readonly [from: number, to: number] | undefined;
  /** Rows of these tokens alone; as the run recorded its own when left out. */
  rows?: RunConfig["record"]["rows"] | undefined;
  /** Where the same text lies now. */
  corpus?: string | undefined;
  /** Path of an interpreter; the run's own configuration says which when left out. */
  python?: string | undefined;
  signal?: AbortSignal | undefined;
}

const step = z.int().nonnegative();
const rerecordArguments = z.strictObject({
  run: z.string(),
  tensors: z.array(recordableTensorSchema).min(1),
  steps: z.tuple([step, step]).optional(),
  rows: recordSchema.shape.rows.unwrap().optional(),
  corpus: z.string().optional(),
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/** Steps of a run that are trained again, and what is recorded of them. */
interface RerecordPlan extends TrainAgainPlan {
  readonly from: number;
  readonly tensors: readonly RecordableTensor[];
  /** The tokens whose rows are recorded, where they are not those of the run. */
  readonly tokens: readonly number[] | undefined;
}

/**
 * Record further tensors of a run's steps: go back to the checkpoint before them, or to the start, train again, see that every state is the recorded one in all
 * its bits, and add the tensors to the run. They have the bits that they would have had, had the run recorded them at once. Iterate over it to follow the
 * events of the training.
 * @param run path of its directory.
 * @throws {BhBridgeError} `RESUME_DIVERGED` with the first difference, when nothing is added; `USAGE` for tensors that the run has, and for steps that it has
 * not; `RUN_LOCKED`, `RESUME_MISMATCH`, `FILE_UNWRITABLE`, `DISK_FULL`, `ABORTED`, and as `train`.
 */
export function rerecord(run: string, options: RerecordOptions): FollowedTraining<Rerecording> {
  return followTraining(async (tell) => {
    const { python, signal, ...wanted } = callArguments("rerecord", rerecordArguments, { ...options, run });
    const plan = await planRerecording(run, wanted);
    return rerecordRun(plan, await resolvePython(pythonOf(plan.run, python), signal), { signal }, { onEvent: tell });
  });
}

/** Read a run that further tensors are to be recorded of. @throws {BhBridgeError} as `rerecord`, before anything is started. */
export async function planRerecording(path: string, { tensors, steps, rows, corpus }: Omit<RerecordOptions, "python" | "signal">): Promise<RerecordPlan> {
  const run = await openRun(resolve(path));
  const { directory, config } = run;
  await requireUnlocked(directory);
  const known = tensors.find((tensor) => config.record.tensors.includes(tensor));
  if (known !== undefined) throw new BhBridgeError("USAGE", `${directory} has recorded ${known} of every step that it recorded: there is nothing to add`);
  const recorded = await recordedSteps(directory);
  const [from, until] = steps ?? [recorded[0] ?? 0, recorded.at(-1) ?? 0];
  requireRecorded(directory, recorded, from, until);
  for (const tensor of tensors) {
    const file = join(directory, laterHistoryFile(tensor, from, until));
    if (existsSync(file)) throw new BhBridgeError("USAGE", `${file} is there already: these steps of ${tensor} were recorded later once before`);
  }
  const checkpoint = checkpointBefore(directory, from);
  if (checkpoint === undefined) requireOwnStart(run);
  const tokens = rows === undefined ? undefined : tokensOf(run, rows);
  // The run's own rows are needed as well, to be verified.
  const record: RunConfig["record"] = {
    ...config.record,
    tensors: [...new Set([...config.record.tensors, ...tensors])],
    ...(tokens && { rows: "all" }),
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
  throw new BhBridgeError("USAGE", `${directory} has recorded none of the steps ${from}..${to}: its record.every left them out`);
}

/** Record later with an interpreter that has been found. */
export async function rerecordRun(
  plan: RerecordPlan,
  python: UsablePython,
  options: Pick<RerecordOptions, "signal">,
  listener: TrainListener = {},
): Promise<Rerecording> {
  const { run, from, until, tensors } = plan;
  return await trainAgain(plan, python, options, listener, async (again) => {
    requireSame(run, again);
    const recorded = new Set(await recordedSteps(run.directory));
    const verified = (await recordedSteps(again.directory)).filter((step) => recorded.has(step)).length;
    const losses = lossesOf(again.directory);
    const files: string[] = [];
    for (const tensor of tensors) files.push(...(await addTensor(plan, tensor, again.directory, (step) => losses.get(step) ?? Number.NaN)));
    coverFiles(run.directory, files);
    return { run: run.directory, from, to: until, tensors: [...tensors], verified, files };
  });
}

function requireSame({ directory }: Run, { history, loss }: TrainedAgain): void {
  if (history.first === null && loss.equal && history.equalTo !== null) return;
  const { first } = history;
  const state = first && `step ${first.step}, ${first.tensor}, token ${first.token}, component ${first.component}: ${first.a} is recorded, ${first.b} came out`;
  const step = loss.first && `the loss of step ${loss.first.step}: ${loss.first.a} is recorded, ${loss.first.b} came out`;
  throw new BhBridgeError(
    "RESUME_DIVERGED",
    `${directory} came out differently when it was trained again, and nothing is added to it. The first difference: ${state ?? step ?? history.reason ?? loss.reason}. The environment computes differently now (bh-bridge reproduce tells what is different in it), or the run is damaged (bh-bridge runs verify tells)`,
  );
}

/** Add one tensor to the run; what was made, by its path in it. */
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

async function recordedSteps(directory: string): Promise<readonly number[]> {
  const history = await openHistory(directory);
  history.close();
  return stepsOf(history);
}
