import { batchedRuns } from "../../config/engine-schema.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { laterStepSeconds } from "../../runner/cost-estimate.js";
import { lastEvent, readEvents } from "../../runs/read-events.js";
import type { SweepTrial } from "../sweep-document.js";
import { compiledShape, isToBeCompiled } from "./compiled-steps.js";
import type { Trial } from "./plan-trials.js";
import { leastMemory } from "./trial-bytes.js";

/** A training that tells what others like it will take. */
interface TrainedRun {
  config: RunConfig;
  /** Bytes of memory that its corpus takes. */
  corpusBytes?: number | undefined;
  /** Null where it is gone. */
  run: string | null;
  steps: number;
  seconds: number;
}

/** What trials take while they are trained, as some of them did: alone, or so many in a stack. */
export interface Measured {
  stack: number;
  /** Of each trial, without what compiling took. */
  stepsPerSecond: number;
  /** Of a trial, or of all in its stack, before the first steps and after the last; 0 where `stepsPerSecond` has them. */
  secondsAround: number;
  /** Memory of their Python at the peak; null where it was not told. */
  peakBytes: number | null;
  /** What is in that for the weights and corpora of the runs; the rest does not grow with a stack. */
  leastBytes: number;
  /** Shapes of the steps that were compiled, and how long one took at most. */
  compiled: { shapes: readonly string[]; seconds: number };
}

/** What has been measured in runs whose stacks have one width. */
export function measure(runs: readonly [TrainedRun, ...TrainedRun[]]): Measured {
  const compiled = runs.flatMap((trained) => {
    const seconds = compilingOf(trained);
    return seconds === null ? [] : [{ shape: compiledShape(trained.config), seconds }];
  });
  const peaks = runs.flatMap(({ run }) => (run === null ? [] : (lastEvent(run, "usage")?.peak_bytes ?? [])));
  return {
    stack: batchedRuns(runs[0].config),
    stepsPerSecond: sum(runs.map(({ steps }) => steps)) / (sum(runs.map(({ seconds }) => seconds)) - sum(compiled.map(({ seconds }) => seconds))),
    secondsAround: 0,
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    leastBytes: Math.max(...runs.map(({ config, corpusBytes }) => leastMemory(config, Math.min(batchedRuns(config), runs.length), corpusBytes))),
    compiled: { shapes: compiled.map(({ shape }) => shape), seconds: Math.max(0, ...compiled.map(({ seconds }) => seconds)) },
  };
}

/** The same of trials that took their first steps alone, together if there are several: what comes once for each of them is told apart from the steps. */
export function measureFirstSteps(runs: readonly [TrainedRun, ...TrainedRun[]]): Measured {
  const measured = measure(runs);
  const events = runs.flatMap(({ run }) => (run === null ? [] : [readEvents(run)]));
  const steps = (events[0] ?? []).filter(({ type }) => type === "step_end");
  const secondsPerStep = laterStepSeconds(steps.slice(0, -1).map(({ global_step, mono }) => [global_step, mono])); // before the last one of others may lie the end of a run
  if (secondsPerStep === undefined) return measured;
  const times = events.flat().map(({ mono }) => mono);
  const around = Math.max(...times) - Math.min(...times) - measured.compiled.seconds - steps.length * secondsPerStep;
  return { ...measured, stepsPerSecond: 1 / secondsPerStep, secondsAround: Math.max(0, around) };
}

/** What has been measured in the trials of a plan, by the width of their stacks: one width does not tell what another takes. */
export function measuredOf(trials: readonly Trial[], states: readonly SweepTrial[]): Measured[] {
  const byWidth = new Map<number, [TrainedRun, ...TrainedRun[]]>();
  for (const [index, { config, corpusBytes }] of trials.entries()) {
    const { result, run = null } = states[index] ?? {};
    if (!result || result.seconds <= 0) continue;
    const trained = { config, corpusBytes, run, steps: result.steps, seconds: result.seconds };
    const width = batchedRuns(config);
    const others = byWidth.get(width);
    if (others) others.push(trained);
    else byWidth.set(width, [trained]);
  }
  return [...byWidth.values()].map(measure);
}

/** Seconds that the step of a run was compiled for; null where it was not. */
function compilingOf({ config, run }: TrainedRun): number | null {
  const compiled = run !== null && isToBeCompiled(config) ? lastEvent(run, "step_method") : undefined;
  return compiled?.method === "compiled" && compiled.used ? compiled.seconds : null;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
