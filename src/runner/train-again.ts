import { join, resolve } from "node:path";
import { requireSameCorpus } from "../bridge/resume-plan.js";
import type { StartedRun } from "../bridge/run-record.js";
import { parseRunConfig } from "../config/parse-run-config.js";
import { defaultPreset } from "../config/presets.js";
import { alreadyResolved } from "../config/resolve-run-config.js";
import { deviceKind } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import type { FindPythonOptions } from "../python/find-python.js";
import type { UsablePython } from "../python/require-packages.js";
import { temporaryFolder } from "../python/session-folder.js";
import { verifyFiles } from "../runs/checksums.js";
import { runCheckpoints, runFiles } from "../runs/run-layout.js";
import type { EnvironmentPin, RunManifest } from "../runs/run-manifest.js";
import { compareLosses, compareRecordings, type LossComparison, type RecordingComparison } from "./compare-recordings.js";
import { conductTraining, type TrainListener } from "./train.js";

/** A run that can be trained again. */
export interface TrainedBefore {
  /** Absolute path. */
  readonly directory: string;
  readonly manifest: RunManifest;
  readonly config: RunConfig;
}

/** Steps of a run to train again. */
export interface TrainAgainPlan {
  readonly run: TrainedBefore;
  /** The last step. */
  readonly until: number;
  /** A checkpoint of the run to start from (default: the run's own start). */
  readonly checkpoint?: string | undefined;
  /** The only step after which a checkpoint is saved (default: none). */
  readonly saveAfter?: number | undefined;
  /** What to record (default: as the run). */
  readonly record?: RunConfig["record"] | undefined;
  /** Present path of the same text. */
  readonly corpus?: string | undefined;
  /** CPU threads (default: those of the run, because another number changes the bits of other engines than `portable`). */
  readonly threads?: number | undefined;
}

/** Result of training again. */
export interface TrainedAgain {
  /** The temporary run. */
  readonly directory: string;
  readonly environment: EnvironmentPin;
  readonly history: RecordingComparison;
  readonly loss: LossComparison;
}

/** Python commits its records about this often. */
const compareEveryMs = 1000;

/**
 * Train steps of a run again in a temporary run, and compare its records with the run while it trains. The first difference ends it.
 * @param use called with the result before the temporary run is removed.
 * @throws {BhBridgeError} `RESUME_MISMATCH` if the corpus differs; `ABORTED`; as `train`.
 */
export async function trainAgain<Result>(
  plan: TrainAgainPlan,
  python: UsablePython,
  { signal }: { signal?: AbortSignal | undefined },
  listener: TrainListener,
  use: (again: TrainedAgain) => Result | Promise<Result>,
): Promise<Result> {
  using folder = temporaryFolder("again");
  const { run, until } = plan;
  const difference = new AbortController();
  const following = new Following(run.directory, () => difference.abort());
  const again = await conductAgain(
    plan,
    python,
    { signal: signal ? AbortSignal.any([signal, difference.signal]) : difference.signal, out: folder.path },
    {
      ...listener,
      onStart(started, trainer) {
        following.directory = started.directory;
        listener.onStart?.(started, trainer);
      },
      onEvent(event) {
        if (event.type === "step_end") following.look();
        listener.onEvent?.(event);
      },
    },
  );
  const history = await following.end();
  if (signal?.aborted) throw new BhBridgeError("ABORTED", `training again was stopped; ${equalSoFar(history)}`, { cause: signal.reason });
  const { directory, manifest } = again;
  return await use({ directory, environment: manifest.environment, history, loss: compareLosses(run.directory, directory, until) });
}

/**
 * Train steps of a run again, into a new run in the folder `out`.
 * @param options `trace` is the step whose tensors are written, and their directory.
 * @throws {BhBridgeError} as `trainAgain`.
 */
export async function conductAgain(
  plan: TrainAgainPlan,
  python: UsablePython,
  { signal, out, trace }: { signal?: AbortSignal | undefined; out: string; trace?: { step: number; directory: string } },
  listener: TrainListener,
): Promise<StartedRun> {
  const { run, until, checkpoint, saveAfter, threads = run.manifest.environment.threads } = plan;
  const config = configOf(plan);
  const conducted = await conductTraining(
    {
      resolved: alreadyResolved(config, defaultPreset),
      python,
      threads,
      model: config,
      prepare(trainer, cancel) {
        requireSameCorpus(run.directory, run.manifest.corpus, trainer.corpus);
        return trainer.prepare(cancel);
      },
      ...((until < config.training.max_steps || saveAfter !== undefined) && { until }),
      ...(trace && { trace }),
    },
    { signal, out, ...startOf(run, checkpoint) },
    listener,
  );
  return conducted.run;
}

/** @throws {BhBridgeError} `USAGE` if a program changed the run's model before training, so that its configuration does not reproduce it. */
export function requireOwnStart({ directory, manifest }: TrainedBefore): void {
  if (manifest.model_changes.length === 0) return;
  throw new BhBridgeError(
    "USAGE",
    `${directory} cannot be trained again from its configuration, because a program changed its model: ${manifest.model_changes.join("; ")}`,
  );
}

/** The last intact checkpoint of a run before a step. */
export function checkpointBefore(directory: string, step: number): string | undefined {
  return runCheckpoints(directory).findLast((checkpoint) => checkpoint.step < step && verifyFiles(checkpoint.directory).length === 0)?.directory;
}

/** The interpreter to train a run again: the requested one, else the one in the run's configuration. */
export function pythonOf({ config }: Pick<TrainedBefore, "config">, asked: string | undefined): FindPythonOptions {
  if (asked !== undefined) return { python: asked };
  return config.python ? { config: config.python } : {};
}

function configOf({ run, checkpoint, saveAfter, record, corpus }: TrainAgainPlan): RunConfig {
  const { config, manifest } = run;
  return parseRunConfig({
    ...config,
    device: config.device === "auto" ? deviceKind(manifest.environment.device) : config.device, // "auto" may select another one on another machine
    data: {
      ...config.data,
      ...(corpus !== undefined && { corpus: resolve(corpus) }),
      ...(manifest.corpus.tokenizer && { tokenizer: join(run.directory, runFiles.tokenizer) }), // the run's own copy
    },
    checkpoint: saveAfter === undefined ? { every: null, keep: 1 } : { every: saveAfter, keep: 2 }, // the last step is saved too
    ...(checkpoint !== undefined && { model: { ...config.model, from: checkpoint }, init: { kind: "normal" } }),
    record: { ...(record ?? config.record), model: "off" }, // its weights are not compared
    track: [],
  });
}

/** The training state to start from. */
function startOf({ manifest }: TrainedBefore, checkpoint: string | undefined): { startFrom?: string } {
  const startFrom = checkpoint ?? manifest.start_from;
  return startFrom === null ? {} : { startFrom };
}

/**
 * Require that training again gave the recorded bits.
 * @param consequence such as "nothing was written".
 * @throws {BhBridgeError} `RESUME_DIVERGED` with the first difference.
 */
export function requireSameBits({ directory }: TrainedBefore, { history, loss }: TrainedAgain, consequence: string): void {
  if (history.first === null && loss.equal && history.equalTo !== null) return;
  const { first } = history;
  const state = first && `step ${first.step}, ${first.tensor}, token ${first.token}, component ${first.component}: recorded ${first.a}, computed ${first.b}`;
  const step = loss.first && `the loss of step ${loss.first.step}: recorded ${loss.first.a}, computed ${loss.first.b}`;
  throw new BhBridgeError(
    "RESUME_DIVERGED",
    `training ${directory} again gave different results, so ${consequence}. The first difference: ${state ?? step ?? history.reason ?? loss.reason}. Either the environment computes differently now (bh-bridge reproduce lists its changes), or the run is damaged (check with bh-bridge runs verify)`,
  );
}

function equalSoFar({ equalTo, first }: RecordingComparison): string {
  if (first) return `it differed at step ${first.step}`;
  return equalTo === null ? "nothing had been compared" : `it was equal in every bit to step ${equalTo}`;
}

/** Compares the records of a training with those of a run while it trains. */
class Following {
  /** Directory of the run that is training. */
  directory = "";
  readonly #recorded: string;
  readonly #onDifference: () => void;
  #found: RecordingComparison = { equal: false, first: null, equalTo: null, reason: null };
  #looking: Promise<void> | undefined;
  #nextAt = performance.now() + compareEveryMs;
  #failure: unknown;

  constructor(recorded: string, onDifference: () => void) {
    this.#recorded = recorded;
    this.#onDifference = onDifference;
  }

  /** Compare what has been committed since the last comparison, unless it was recent. */
  look(): void {
    if (this.#looking || performance.now() < this.#nextAt) return;
    const end = () => {
      this.#looking = undefined;
      this.#nextAt = performance.now() + compareEveryMs;
    };
    this.#looking = this.#compare()
      .catch((error: unknown) => this.#fail(error))
      .finally(end);
  }

  /** The result, after the training has ended. */
  async end(): Promise<RecordingComparison> {
    await this.#looking;
    if (this.#failure !== undefined) throw this.#failure;
    await this.#compare();
    return this.#found;
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#onDifference();
  }

  async #compare(): Promise<void> {
    if (this.#found.first) return;
    const found = await compareRecordings(this.#recorded, this.directory, { after: this.#found.equalTo ?? undefined });
    this.#found = { ...found, equalTo: found.equalTo ?? this.#found.equalTo };
    if (found.first) this.#onDifference();
  }
}
