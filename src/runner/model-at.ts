import { cpSync, existsSync, renameSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { Bridge } from "../bridge/bridge.js";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { findTensor } from "../formats/find-tensor.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import { itemSizes, type Matrix } from "../formats/matrix.js";
import { readJson } from "../formats/read-json.js";
import { type WritableTensor, writeSafetensors } from "../formats/safetensors/safetensors.js";
import { readMatrix, rowsAndColumns, type TensorInfo } from "../formats/stored-tensor.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { temporaryFolder } from "../python/session-folder.js";
import { verifyFiles } from "../runs/checksums.js";
import { recordedStep } from "../runs/history-index.js";
import { type ModelTensor, openModelDeltas } from "../runs/model-deltas.js";
import { openEmbedding } from "../runs/open-embedding.js";
import { recordedSteps } from "../runs/open-history.js";
import { finalFolder, modelManifestFile, runCheckpoints } from "../runs/run-layout.js";
import type { modelSources } from "./exported.js";
import { type FollowedTraining, followTraining, type TrainListener } from "./train.js";
import { checkpointBefore, pythonOf, requireOwnStart, requireSameBits, type TrainedBefore, trainAgain } from "./train-again.js";

/** A plan to obtain the model of a step. */
export interface ModelAtPlan {
  readonly run: TrainedBefore;
  readonly step: number;
  readonly corpus?: string | undefined;
  readonly source:
    | { readonly from: "final" | "checkpoint"; readonly directory: string }
    | { readonly from: "deltas"; readonly template: string }
    | { readonly from: "start" }
    | { readonly from: "replay"; readonly checkpoint: string | undefined; readonly until: number; readonly states: readonly number[] };
}

/** Options of `Run.modelAt`. */
export interface ModelAtOptions {
  /** Also require the state of the optimizer, which the final model lacks. */
  optimizer?: boolean | undefined;
  /** Present path of the same text. */
  corpus?: string | undefined;
  /** Path of an interpreter (default: from the run's configuration). */
  python?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** The complete model of a run after a step. Dispose of it to remove its temporary files. */
export interface ModelAtStep extends Disposable {
  /** Absolute path of the run. */
  readonly run: string;
  readonly step: number;
  /** Directory of the model in HF layout; a checkpoint or a replay also has the training state. */
  readonly directory: string;
  readonly from: (typeof modelSources)[number];
  /** Number of recorded states that were compared and are equal in every bit. */
  readonly verified: number;
  /** Names, dtypes and shapes; a tied head is stored once. */
  readonly tensors: readonly TensorInfo[];
  /** Read one tensor. @throws {BhBridgeError} `TENSOR_NOT_FOUND` with the nearest name. */
  tensor(name: string): Matrix;
}

const modelAtArguments = z.strictObject({
  step: z.int().nonnegative(),
  optimizer: z.boolean().optional(),
  corpus: z.string().optional(),
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * The complete model of a run after any recorded step: a saved one, else trained again from the checkpoint before it, or from the start. All recorded bits on
 * the way are compared. The run is only read.
 * @throws {BhBridgeError} `USAGE` for a step that the run does not have; `RESUME_DIVERGED` with the first difference; `RUN_CORRUPT`, and as `train`.
 */
export function modelAt(run: TrainedBefore, step: number, options: ModelAtOptions = {}): FollowedTraining<ModelAtStep> {
  return followTraining(async (tell) => {
    const { python, signal, ...wanted } = callArguments("run.modelAt", modelAtArguments, { ...options, step });
    const plan = await planModelAt(run, wanted);
    return obtainModel(plan, () => resolvePython(pythonOf(run, python), signal), { signal }, { onEvent: tell });
  });
}

/** The last recorded step of a run, whose model is the default. @throws {BhBridgeError} `USAGE` before the first. */
export function lastStep({ directory }: Pick<TrainedBefore, "directory">): number {
  const step = recordedStep(directory);
  if (step === undefined) throw new BhBridgeError("USAGE", `${directory} has recorded no step yet, so it has no model`);
  return step;
}

/** Number of recorded states that a replay compares, so that a difference is found early. */
const mostCompared = 16;

/** Decide how to obtain the model of a step, before anything is started. @throws {BhBridgeError} as `modelAt`. */
export async function planModelAt(run: TrainedBefore, { step, optimizer = false, corpus }: { step: number } & ModelAtOptions): Promise<ModelAtPlan> {
  const { directory } = run;
  const recorded = await recordedSteps(directory);
  const [first = 0, last = 0] = [recorded[0], recorded.at(-1)];
  if (step < first || step > last) throw new BhBridgeError("USAGE", `${directory} has recorded the steps ${first} to ${last}, not ${step}`);
  const common = { run, step, corpus };
  const saved = savedModel(directory, step, optimizer);
  if (saved) return { ...common, source: saved };
  const template = optimizer ? undefined : deltasTemplate(run, step);
  if (template !== undefined) return { ...common, source: { from: "deltas", template } };
  const checkpoint = checkpointBefore(directory, step);
  if (checkpoint === undefined) requireOwnStart(run);
  if (step === first) {
    if (!optimizer) return { ...common, source: { from: "start" } };
    throw new BhBridgeError("USAGE", `${directory} starts at step ${step}, where its optimizer has no state yet: omit the optimizer`);
  }
  const until = recorded.find((each) => each >= step) ?? last;
  const begin = runCheckpoints(directory).find((each) => each.directory === checkpoint)?.step ?? first;
  const passed = recorded.filter((each) => each > begin && each <= until);
  const apart = Math.ceil(passed.length / mostCompared);
  const states = passed.filter((_, index) => (passed.length - 1 - index) % apart === 0);
  return { ...common, source: { from: "replay", checkpoint, until, states } };
}

/** An intact saved model of a step; the final one has no state of the optimizer. */
function savedModel(run: string, step: number, optimizer: boolean) {
  const isIntact = (directory: string) => verifyFiles(directory).length === 0;
  const final = join(run, finalFolder);
  if (!optimizer && existsSync(final) && stepOfModel(final) === step && isIntact(final)) return { from: "final" as const, directory: final };
  const checkpoint = runCheckpoints(run).find((each) => each.step === step);
  if (!checkpoint || !isIntact(checkpoint.directory) || (optimizer && !hasGroupSizes(checkpoint.directory))) return undefined;
  return { from: "checkpoint" as const, directory: checkpoint.directory };
}

/** A saved model whose tensors are those of `record.model: deltas`, if that has the step; its other files complete the model. */
function deltasTemplate({ directory, config }: TrainedBefore, step: number): string | undefined {
  if (config.record.model !== "deltas") return undefined;
  using deltas = openModelDeltas(directory);
  if (!deltas || step < deltas.firstStep || step > deltas.lastStep) return undefined;
  const { tensors } = deltas;
  const saved = [join(directory, finalFolder), ...runCheckpoints(directory).map((each) => each.directory)];
  return saved.find((model) => {
    if (!existsSync(join(model, weightsFile)) || verifyFiles(model).length > 0) return false;
    const file = openHfDirectory(model);
    file.close();
    const shapes = new Map(tensors.map(({ name, dtype, shape }) => [name, `${dtype} ${shape}`]));
    return file.tensors.every(({ name, dtype, shape }) => shapes.get(name) === `${dtype} ${shape}`);
  });
}

/** Complete the weights of a step by the other files of a saved model. */
function writeDeltas({ run, step }: ModelAtPlan, template: string, directory: string): void {
  using deltas = openModelDeltas(run.directory);
  const isWanted = (path: string) => ![weightsFile, modelManifestFile].includes(basename(path)) && !isTrainingState(basename(path));
  cpSync(template, directory, { recursive: true, filter: (path) => path === template || isWanted(path) });
  const file = openHfDirectory(template);
  file.close();
  const names = new Set(file.tensors.map(({ name }) => name)); // a tied head is stored once
  const tensors = (deltas?.at(step) ?? []).filter(({ name }) => names.has(name));
  writeSafetensors(join(directory, weightsFile), tensors.map(rowsOfTensor));
}

function rowsOfTensor({ name, dtype, shape, bytes }: ModelTensor): WritableTensor {
  const { rows, columns } = rowsAndColumns(shape);
  const rowBytes = columns * itemSizes[dtype];
  const read = (first: number, count: number, target: Uint8Array) => target.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  return { name, shape, rows: { source: name, dtype, rows, columns, read } };
}

const weightsFile = "model.safetensors";

/** Whether a file of a checkpoint is not part of its model. */
export const isTrainingState = (name: string): boolean => /^(?:optimizer|scheduler|random_state|progress|trainer_state)\.(?:json|safetensors)$/.test(name);

const modelManifestSchema = z.object({ global_step: z.int() });

function stepOfModel(directory: string): number | undefined {
  return modelManifestSchema.safeParse(readJson(join(directory, modelManifestFile))).data?.global_step;
}

/** Checkpoints of 0.2 and earlier do not record how many parameters each group of the optimizer has, which a conversion requires. */
function hasGroupSizes(checkpoint: string): boolean {
  return z.object({ sizes: z.array(z.int()) }).safeParse(readJson(join(checkpoint, "optimizer.json"))).success;
}

/** Obtain the model of a plan. @param python called only if Python is required. @throws {BhBridgeError} as `modelAt`. */
export async function obtainModel(
  plan: ModelAtPlan,
  python: () => Promise<UsablePython>,
  options: { signal?: AbortSignal | undefined },
  listener: TrainListener = {},
): Promise<ModelAtStep> {
  const { source } = plan;
  if (source.from === "final" || source.from === "checkpoint") return openModel(plan, source.directory);
  const folder = temporaryFolder("model");
  try {
    const directory = join(folder.path, "model");
    if (source.from === "deltas") {
      writeDeltas(plan, source.template, directory);
      return await openModel(plan, directory, 0, folder);
    }
    const verified =
      source.from === "start" ? await saveStart(plan, await python(), directory, options) : await replay(plan, await python(), directory, options, listener);
    return await openModel(plan, directory, verified, folder);
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** Build the initial model and save it. */
async function saveStart({ run }: ModelAtPlan, python: UsablePython, directory: string, { signal }: { signal?: AbortSignal | undefined }): Promise<number> {
  const { config, manifest } = run;
  await using bridge = await Bridge.startWith(python, { threads: manifest.environment.threads, device: "cpu", signal });
  const model = await bridge.buildModel(config, signal);
  await model.save(directory, { signal });
  return 0;
}

/** Train to the step again, and move its checkpoint to `directory`. @returns the number of compared states. */
async function replay(
  { run, step, corpus, source }: ModelAtPlan,
  python: UsablePython,
  directory: string,
  options: { signal?: AbortSignal | undefined },
  listener: TrainListener,
): Promise<number> {
  if (source.from !== "replay") return 0;
  const { checkpoint, until, states } = source;
  const { schedules: _, ...recorded } = run.config.record;
  const record = { ...recorded, every: [...states], model: "off" as const };
  const threads = run.config.engine.name === "portable" ? availableParallelism() : undefined; // its bits are the same with any number
  return trainAgain({ run, until, checkpoint, saveAfter: step, record, corpus, threads }, python, options, listener, async (again) => {
    requireSameBits(run, again, "there is no proven model of that step");
    const saved = runCheckpoints(again.directory).find((each) => each.step === step);
    if (!saved) throw new BhBridgeError("INTERNAL", `${again.directory} has no checkpoint of step ${step}`);
    renameSync(saved.directory, directory);
    return (await recordedSteps(again.directory)).length;
  });
}

async function openModel(plan: ModelAtPlan, directory: string, verified = 0, folder?: Disposable): Promise<ModelAtStep> {
  const { run, step, source } = plan;
  const compared = await compareEmbedding(plan, directory);
  const opened = openHfDirectory(directory);
  return {
    run: run.directory,
    step,
    directory,
    from: source.from,
    verified: Math.max(verified, compared),
    tensors: opened.tensors.map(({ name, dtype, shape, bytes, file }) => ({ name, dtype, shape, bytes, file })),
    tensor: (name) => readMatrix(findTensor(opened.tensors, name, directory)),
    [Symbol.dispose]() {
      opened.close();
      folder?.[Symbol.dispose]();
    },
  };
}

/**
 * Compare the embedding of a model with the recorded one. @returns the number of compared states: 1, or 0 for a step that was not recorded.
 * @throws {BhBridgeError} `RESUME_DIVERGED` naming the first different row.
 */
async function compareEmbedding({ run, step, source }: ModelAtPlan, model: string): Promise<number> {
  if (!(await recordedSteps(run.directory)).includes(step)) return 0;
  const { model: own } = run.config;
  const recorded = await openEmbedding(run.directory, { step });
  try {
    const tensor = own.type === "python" ? (own.embedding ?? undefined) : undefined;
    const saved = await openEmbedding(model, { tensor });
    try {
      const { rows } = recorded;
      const bytes = rows.columns * itemSizes[rows.dtype];
      const [left, right] = [new Uint8Array(bytes), new Uint8Array(bytes)];
      for (let row = 0; row < rows.rows; row++) {
        const token = rows.rowTokens.ofRow(row);
        rows.read(row, 1, left);
        saved.rows.read(token, 1, right);
        if (saved.rows.dtype === rows.dtype && Buffer.compare(left, right) === 0) continue;
        const how = source.from === "start" ? "built again from its configuration" : `saved in ${model}`;
        throw new BhBridgeError(
          "RESUME_DIVERGED",
          `the model of ${run.directory} after step ${step}, ${how}, differs from its history at token ${token}. Either the environment computes differently now (bh-bridge reproduce lists its changes), or the run is damaged (check with bh-bridge runs verify)`,
        );
      }
    } finally {
      saved.close();
    }
  } finally {
    recorded.close();
  }
  return 1;
}
