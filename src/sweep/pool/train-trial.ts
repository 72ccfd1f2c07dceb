import { Bridge } from "../../bridge/bridge.js";
import { corpusOf } from "../../bridge/corpus.js";
import { type StackSlot, TrainingStack } from "../../bridge/training-stack.js";
import { alreadyResolved } from "../../config/resolve-run-config.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError } from "../../errors.js";
import { openResumable, type ResumableRun, resumedTraining, sumUp } from "../../runner/resume.js";
import { concludeTraining, newTraining, type TrainedRun, type TrainListener, trainIn } from "../../runner/train.js";
import { notFinite } from "../../runner/train-result.js";
import { PruneCallback, prunedPrefix } from "../prune/prune-facts.js";
import { SentFiles } from "./sent-files.js";
import { type Training, type TrialEnd, trialResult } from "./trial-task.js";
import type { WorkerSetup } from "./worker-channel.js";

/** Settings that a running Python process cannot change. */
type ProcessNeeds = Pick<RunConfig, "device" | "threads">;

interface TrialPython {
  /** A Python for a trial, in the state of a new process. */
  for(config: RunConfig, signal: AbortSignal): Promise<Bridge>;
  /** The files that configurations name. */
  readonly files: SentFiles;
  /** The repository that runs record; undefined if they detect it themselves. */
  readonly repository: WorkerSetup["repository"];
  close(): Promise<void>;
}

/** Trains one trial after another in one Python with PyTorch loaded. Each trial finds it in the state of a new process. */
export class WarmPython implements TrialPython {
  readonly files: SentFiles;
  readonly repository: WorkerSetup["repository"];
  readonly #setup: WorkerSetup;
  #bridge: Bridge | undefined;
  #needs = "";

  constructor(setup: WorkerSetup) {
    this.#setup = setup;
    this.files = new SentFiles(setup.sent);
    this.repository = setup.repository;
  }

  /** Reuse and reset the current Python if it has the right device and threads. */
  async for({ device, threads }: ProcessNeeds, signal: AbortSignal): Promise<Bridge> {
    const needs = JSON.stringify([device, threads]);
    if (this.#needs !== needs) await this.close();
    if (!this.#bridge) {
      const { python, cores, gpu } = this.#setup;
      const own: RunConfig["device"] = gpu !== null && (device === "auto" || device === "cuda") ? `cuda:${gpu}` : device;
      this.#bridge = await Bridge.startWith(python, { device: own, threads, ...(cores && { cores }), signal });
      this.#needs = needs;
    }
    await this.#bridge.renew(signal);
    return this.#bridge;
  }

  async close(): Promise<void> {
    const bridge = this.#bridge;
    this.#bridge = undefined;
    await bridge?.close();
  }
}

/** Errors after which a trial cannot resume its run and restarts from the beginning. */
const lostRuns: readonly string[] = ["RUN_NOT_FOUND", "RUN_CORRUPT", "RESUME_MISMATCH"];

/** A trial to train. In a batch it has a slot. */
interface Member extends Training {
  slot?: StackSlot;
}

/** Train a trial or resume its run; errors become its end. */
async function trainTrial(member: Member, python: TrialPython, signal: AbortSignal): Promise<TrialEnd> {
  const { run } = member.task;
  try {
    if (run !== null) {
      try {
        return await resume(await openResumable(run), member, python, signal);
      } catch (error) {
        if (!(error instanceof BhBridgeError) || !lostRuns.includes(error.code)) throw error;
        await python.close(); // it may hold the model of the run that could not be resumed
      }
    }
    return await train(undefined, member, python, signal);
  } catch (error) {
    await python.close(); // its leftovers must not affect another trial
    if (!(error instanceof BhBridgeError)) throw error;
    if (signal.aborted) return { kind: "stopped" };
    return { kind: error.code === "PEER_EXITED" ? "died" : "failed", reason: `${error.code}: ${lastWords(error)}` };
  }
}

async function resume(run: ResumableRun, member: Member, python: TrialPython, signal: AbortSignal): Promise<TrialEnd> {
  const { prune, config } = member.task;
  const { status, reason: why } = run.manifest;
  const wasPruned = prune !== null && status === "stopped" && (why === "decider" || why?.startsWith(prunedPrefix));
  if (!run.isComplete && !wasPruned) return train(run, member, python, signal);
  member.listener.onStart(run.directory, 0);
  const reason = wasPruned ? new PruneCallback(prune, config).noteIn(run.directory) : undefined;
  return endOf(await sumUp(run, { signal }), reason);
}

async function train(run: ResumableRun | undefined, { task, listener, slot }: Member, python: TrialPython, signal: AbortSignal): Promise<TrialEnd> {
  const { corpus: planned } = task.config.data; // may have moved since a run was recorded
  const here = (config: RunConfig) => withPlaces({ ...config, data: { ...config.data, corpus: planned } }, python.files);
  const training = run ? resumedTraining(run, false, here) : { ...newTraining(alreadyResolved(task.config, task.preset)), model: here(task.config) };
  const { config } = training.resolved;
  const corpus = await corpusOf({ ...training.resolved, config: here(config) }, signal, python.files.corpus(task.corpus));
  if (corpus.sha256 !== task.corpus)
    throw new BhBridgeError("CORPUS_INVALID", `${corpus.path} has changed since this trial was planned: start the sweep again`);
  const bridge = await python.for(config, signal);
  const pruning = task.prune ? new PruneCallback(task.prune, config) : undefined;
  const hear: TrainListener = {
    onStart(started) {
      if (pruning) pruning.directory = started.directory;
      listener.onStart(started.directory, started.fromStep);
    },
    onEvent(event) {
      if (event.type === "step_end") listener.onStep(event.global_step, event.loss);
    },
  };
  const ended = await trainIn(
    bridge,
    { ...training, corpus, repository: python.repository, ...(slot && { slot }) },
    { signal, out: task.out, callbacks: pruning ? [pruning] : [] },
    hear,
  );
  const reason = pruning && ended.outcome.reason === "decider" ? pruning.noteIn(ended.run.directory) : undefined;
  const trained = await concludeTraining(ended, training.resolved, { signal }, {});
  return reason !== undefined || trained.outcome.status === "completed" ? endOf(trained, reason) : { kind: "stopped" };
}

/** A configuration with the local paths of its files: for reading, not for recording. */
function withPlaces(config: RunConfig, files: SentFiles): RunConfig {
  const { model, init, data } = config;
  return {
    ...config,
    model: { ...model, from: model.from === null ? null : files.here(model.from) },
    init: init.kind === "file" ? { ...init, path: files.here(init.path) } : init,
    data: { ...data, tokenizer: data.tokenizer === null ? null : files.here(data.tokenizer) },
  };
}

/** The end of a trial that was pruned for a reason, or took all its steps. */
function endOf({ directory, result }: TrainedRun, prunedBecause: string | undefined): TrialEnd {
  if (prunedBecause !== undefined) return { kind: "pruned", run: directory, result: trialResult(result), reason: prunedBecause };
  if (!result.finite) return { kind: "failed", reason: notFinite, result: trialResult(result) };
  return { kind: "completed", run: directory, result: trialResult(result) };
}

function lastWords({ message, exit }: BhBridgeError): string {
  const output = exit?.lastLines.filter((line) => !message.includes(line)) ?? [];
  return [message, ...output.slice(-lastLinesShown)].join("\n");
}

/** Lines of a process's last output to report: the exception and its origin. */
const lastLinesShown = 8;

/** Train one trial, or a batch of trials together, resuming their runs. The end of one does not affect the others. */
export async function trainTrials(trainings: readonly Training[], python: WarmPython, signal: AbortSignal): Promise<TrialEnd[]> {
  const [first, second] = trainings;
  if (first && !second) return [await trainTrial(first, python, signal)];
  const stack = new TrainingStack();
  let bridge: Promise<Bridge> | undefined;
  let isToBeClosed = false;
  const shared: TrialPython = {
    files: python.files,
    repository: python.repository,
    for(config) {
      bridge ??= python.for(config, signal);
      return bridge;
    },
    async close() {
      isToBeClosed = true; // when no trial needs it any more
    },
  };
  const members = trainings.map((training) => ({ ...training, slot: stack.slot() }));
  const ends = await Promise.all(members.map((member) => trainTrial(member, shared, signal).finally(() => member.slot.leave())));
  if (isToBeClosed) await python.close();
  return ends;
}
