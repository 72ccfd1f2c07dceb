import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ScanOptions } from "../analysis/scan/observation.js";
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
import { readRunConfig } from "../runs/run-config.js";
import { requireRunEntries, runCheckpoints, runFiles } from "../runs/run-layout.js";
import { type RunManifest, readRunManifest } from "../runs/run-manifest.js";
import { concludeRun } from "./summarize-run.js";
import { type FollowedTraining, followTraining, type TrainedRun, type TrainingPlan, type TrainListener, type TrainOptions, trainAndConclude } from "./train.js";
import type { TrainResult } from "./train-result.js";

/**
 * What the model of a resumed run is built from: as the run was, or, when the files that it began with are gone, anew, since a checkpoint replaces every
 * weight.
 * @throws {BhBridgeError} `FILE_NOT_FOUND` when those files are gone and no checkpoint verifies.
 */
export function resumedModel(directory: string, { model, init, seed, seeds }: ModelPlan): ModelPlan {
  const lost = [model.from, init.kind === "file" ? init.path : null].filter((path) => path !== null && !existsSync(path));
  if (lost.length === 0) return { model, init, seed, seeds };
  if (hasWholeCheckpoint(directory)) return { model: { ...model, from: null }, init: { kind: "normal" }, seed, seeds };
  throw new BhBridgeError(
    "FILE_NOT_FOUND",
    `${directory} began with ${lost.join(" and ")}, which is gone, and has no whole checkpoint to go on from without it`,
  );
}

function hasWholeCheckpoint(directory: string): boolean {
  return runCheckpoints(directory).some((checkpoint) => verifyFiles(checkpoint.directory).length === 0);
}

/** What may be different when a run goes on. */
export interface ResumeRunOptions extends Omit<TrainOptions, "out" | "startFrom"> {
  /** Another number of steps; only where the schedule allows it. */
  steps?: number;
  /** Where the same text lies now. */
  corpus?: string;
  /** Go on in another environment as well; the bits are others from the checkpoint on. */
  allowInexact?: boolean;
}

/** A run that can go on, and the configuration that it goes on with. */
export interface ResumableRun {
  directory: string;
  manifest: RunManifest;
  resolved: ResolvedConfig;
  /** Every step was taken and nothing more is asked for: there is nothing left to compute. */
  isComplete: boolean;
}

/**
 * Go on with a run that ended early (killed, stopped, failed), to the bits that it would have had. A run that is complete is only summed up. Iterate over it to
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

/** Read a run that is to go on. @throws {BhBridgeError} `RUN_LOCKED` when it is being written, `CONFIG_INVALID`, and what reading it gives. */
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

/** Go on with a run, with an interpreter that has been found. */
export async function resumeRun(
  run: ResumableRun,
  python: UsablePython,
  { allowInexact = false, ...options }: ResumeRunOptions,
  listener: TrainListener = {},
): Promise<TrainedRun> {
  // Left to itself PyTorch would take as many threads as there are cores today: the run's own number is part of its bits.
  const { threads } = run.manifest.environment;
  return trainAndConclude({ ...resumedTraining(run, allowInexact), python, threads }, options, listener);
}

/** A training that goes on with a run. @param here its configuration with the places that its files have now. */
export function resumedTraining(
  { directory, resolved }: ResumableRun,
  allowInexact = false,
  here: (config: RunConfig) => RunConfig = (config) => config,
): TrainingPlan {
  const model = resumedModel(directory, here(resolved.config));
  return { resolved, model, prepare: (trainer, cancel) => trainer.prepareResume(directory, { ...cancel, allowInexact }) };
}

/** The result of a run that has nothing left to do. */
export async function sumUp({ directory, resolved }: ResumableRun, options: ScanOptions = {}): Promise<TrainedRun> {
  const result = await concludeRun(directory, resolved.config, options);
  return { directory, outcome: outcomeOf(result), result };
}

function outcomeOf({ run, steps }: TrainResult): TrainedRun["outcome"] {
  return { status: "completed", reason: null, steps, seconds: 0, stepsPerSecond: 0, logHistory: [], bestMetric: null, coalesced: 0, run };
}
