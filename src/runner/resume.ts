import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { callArguments } from "../bridge/call-arguments.js";
import type { ModelPlan } from "../bridge/model.js";
import { requireSameConfig } from "../bridge/resume-plan.js";
import { parseRunConfig } from "../config/parse-run-config.js";
import { defaultPreset, isPresetName } from "../config/presets.js";
import { alreadyResolved, changesFrom, type ResolvedConfig } from "../config/resolve-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { requireUnlocked } from "../python/lock-holders.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { verifyFiles } from "../runs/checksums.js";
import { openEmbedding } from "../runs/open-embedding.js";
import { readRunConfig } from "../runs/run-config.js";
import { finalFolder, isRunDirectory, requireRunEntries, runCheckpoints, runFiles } from "../runs/run-layout.js";
import { type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { count } from "../text/format.js";
import { concludeRun } from "./summarize-run.js";
import { type FollowedTraining, followTraining, type TrainedRun, type TrainingPlan, type TrainListener, type TrainOptions, trainAndConclude } from "./train.js";

/**
 * The model plan of a resumed run: the run's own, or new weights if its initial files are missing, since a checkpoint replaces every weight.
 * @throws {BhBridgeError} `FILE_NOT_FOUND` if those files are missing and no checkpoint is valid.
 */
export function resumedModel(directory: string, { model, init, seed, seeds, engine }: ModelPlan): ModelPlan {
  const lost = [model.from, init.kind === "file" ? init.path : null].filter((path) => path !== null && !existsSync(path));
  if (lost.length === 0) return { model, init, seed, seeds, ...(engine && { engine }) };
  const hasValidCheckpoint = runCheckpoints(directory).some((checkpoint) => verifyFiles(checkpoint.directory).length === 0);
  if (hasValidCheckpoint) return { model: { ...model, from: null }, init: { kind: "normal" }, seed, seeds };
  const message = `${directory} started from ${lost.join(" and ")}, which is missing, and has no valid checkpoint to resume from without it`;
  throw new BhBridgeError("FILE_NOT_FOUND", message);
}

/** Options of `resume`. */
export interface ResumeRunOptions extends Omit<TrainOptions, "out" | "startFrom"> {
  /** Another number of steps, if the schedule allows it. */
  steps?: number | undefined;
  /** Present path of the same text. */
  corpus?: string | undefined;
  /** CPU threads (default: those of the run). Another number changes the bits, except with engine `portable`. */
  threads?: number | undefined;
  /** Resume in another environment too; the bits differ from the checkpoint on. */
  allowInexact?: boolean | undefined;
}

/** A run to resume, and its configuration. */
export interface ResumableRun {
  directory: string;
  manifest: RunManifest;
  resolved: ResolvedConfig;
  /** Whether no step is left to train. */
  isComplete: boolean;
}

/**
 * Resume a run that ended early (killed, stopped, failed), with the bits of an uninterrupted run. A completed run is only summarized. Iterate over the result to
 * follow its events.
 * @param run path of its directory.
 * @throws {BhBridgeError} `RUN_LOCKED`, `RESUME_MISMATCH`, `RESUME_DIVERGED`, `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`, and as `train`.
 */
export function resume(run: string, options: ResumeRunOptions = {}): FollowedTraining<TrainedRun> {
  return followTraining(async (tell) => {
    const resumable = await openResumable(run, options);
    if (resumable.isComplete) return sumUp(resumable, { signal: options.signal });
    const { python } = resumable.resolved.config;
    return resumeRun(resumable, await resolvePython({ ...(python && { config: python }) }, options.signal), options, { onEvent: tell });
  });
}

/** Read a run to resume. @throws {BhBridgeError} `RUN_LOCKED` if it is being written, `CONFIG_INVALID`, and as `readRunManifest`. */
export async function openResumable(run: string, { steps, corpus }: ResumeRunOptions = {}): Promise<ResumableRun> {
  const directory = resolve(run);
  await requireUnlocked(directory);
  requireRunEntries(directory);
  const manifest = readRunManifest(directory);
  const recorded = readRunConfig(directory);
  const { data, training } = recorded;
  const config = parseRunConfig({
    ...recorded,
    data: {
      ...data,
      ...(corpus !== undefined && { corpus: resolve(corpus) }),
      ...(manifest.corpus.tokenizer && { tokenizer: join(directory, runFiles.tokenizer) }), // the run's own copy
    },
    training: steps === undefined ? training : { ...training, max_steps: steps },
  });
  requireSameConfig(directory, config); // before Python starts, which takes seconds
  const preset = isPresetName(manifest.preset) ? manifest.preset : defaultPreset;
  return {
    directory,
    manifest,
    resolved: alreadyResolved(
      config,
      preset,
      changesFrom(preset, config, () => "the run"),
    ),
    isComplete: manifest.status === "completed" && config.training.max_steps === training.max_steps,
  };
}

/** Resume a run with an interpreter of `resolvePython`. */
export async function resumeRun(
  run: ResumableRun,
  python: UsablePython,
  { allowInexact = false, threads = run.manifest.environment.threads, ...options }: ResumeRunOptions,
  listener: TrainListener = {},
): Promise<TrainedRun> {
  // By default the run's number of threads, which determines its bits: PyTorch's own depends on the present cores.
  return trainAndConclude({ ...resumedTraining(run, allowInexact), python, threads }, options, listener);
}

/** A training that resumes a run. @param here replaces paths of the configuration by the present ones. */
export function resumedTraining(
  { directory, resolved }: ResumableRun,
  allowInexact = false,
  here: (config: RunConfig) => RunConfig = (config) => config,
): TrainingPlan {
  const model = resumedModel(directory, here(resolved.config));
  return { resolved, model, prepare: (trainer, cancel) => trainer.prepareResume(directory, { ...cancel, allowInexact }) };
}

/** The result of a run with no step left to train. */
export async function sumUp({ directory, resolved }: ResumableRun, options: ScanOptions = {}): Promise<TrainedRun> {
  const result = await concludeRun(directory, resolved.config, options);
  const { run, steps } = result;
  const untrained = { seconds: 0, stepsPerSecond: 0, logHistory: [], bestMetric: null, coalesced: 0 };
  return { directory, outcome: { status: "completed", reason: null, steps, ...untrained, run }, result };
}

/** The part of a configuration that determines where a training starts. */
export type StartingPoint = { model: { from: string } } | { init: { kind: "file"; path: string; step: number }; model: { vocab_size: number; n_embd: number } };

const startFromArguments = z.strictObject({ path: z.string(), step: z.int().nonnegative().optional() });

/**
 * The starting point of a training, for its configuration: the model of a checkpoint, the final model of a run, or with `step` the recorded embedding after
 * that step, with its sizes.
 * @param path saved model, run, or with `step` any file with a recorded history.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, a run without a final model, a step that was not recorded, and a run that recorded chosen rows; as
 *   `openCheckpoint`.
 */
export async function startFrom(path: string, options: { step?: number | undefined } = {}): Promise<StartingPoint> {
  const { step } = callArguments("startFrom", startFromArguments, { ...options, path });
  if (step === undefined) return { model: { from: isRunDirectory(path) ? finalModel(path) : path } };
  const embedding = await openEmbedding(path, { step });
  try {
    const { shape, rows } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) throw new BhBridgeError("USAGE", `${path} recorded ${shape[0]} of ${count(vocabulary, "row")}: an initial embedding requires all of them`);
    const [vocab_size, n_embd] = shape;
    return { init: { kind: "file", path, step }, model: { vocab_size, n_embd } };
  } finally {
    embedding.close();
  }
}

function finalModel(run: string): string {
  const final = join(run, finalFolder);
  if (existsSync(final)) return final;
  throw new BhBridgeError("USAGE", `${run} has no final model: resume it with "bh-bridge resume ${run}", or give --from one of its checkpoints`);
}
