import { resolve } from "node:path";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { differingLossSchema, differingRecordSchema } from "../runner/compare-recordings.js";
import { openRun } from "../runner/open-run.js";
import { type FollowedTraining, followTraining, type TrainListener } from "../runner/train.js";
import { pythonOf, requireOwnStart, type TrainAgainPlan, trainAgain } from "../runner/train-again.js";
import { recordedStep } from "../runs/history-index.js";
import { type EnvironmentPin, readRunNotes, withoutKernel, writeRunNotes } from "../runs/run-manifest.js";
import { count } from "../text/format.js";
import { type DivergenceOptions, divergenceSchema, locateDivergence, planDivergence } from "./locate-divergence.js";
import { differenceSchema, differences } from "./run-facts.js";

/** Result of reproducing a run. */
export const reproductionSchema = z.strictObject({
  /** Absolute path. */
  run: z.string(),
  /** The last step to reproduce. */
  steps: z.int().positive(),
  /** Whether every recorded state and loss up to it has the same bits. */
  equal: z.boolean(),
  first: differingRecordSchema.nullable(),
  loss: differingLossSchema.nullable(),
  /** Differences of the environment: the run's value, and the present one. */
  environment: z.array(differenceSchema),
  /** Version of the recipe of engine `portable` that the run follows, whose bits depend on nothing else in the environment; absent for other engines. */
  recipe: z.int().optional(),
  /** Where two further trainings diverge; absent unless requested and the run is unequal. */
  deep: divergenceSchema.optional(),
});
export type Reproduction = z.output<typeof reproductionSchema>;

const reproduceArguments = z.strictObject({
  run: z.string(),
  /** The last step (default: the last recorded one). */
  steps: z.int().positive().optional(),
  /** Present path of the same text. */
  corpus: z.string().optional(),
  /** Path of an interpreter (default: from the run's configuration). */
  python: z.string().optional(),
  /** If it is unequal, train it twice more, and report whether and in which tensor these two diverge. */
  deep: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});
/** Options of `reproduce`. */
export type ReproduceOptions = Omit<z.input<typeof reproduceArguments>, "run">;

/**
 * Train a run again from its own configuration, and compare all bits of every recorded state and loss. Iterate over the result to follow the events of the
 * training. The outcome is added to the run's notes.
 * @param run path of its directory; only its notes change.
 * @throws {BhBridgeError} `USAGE` for a run that cannot be trained again, or not so far; `RESUME_MISMATCH` for another corpus; `RUN_NOT_FOUND`, `RUN_CORRUPT`,
 * `ABORTED`, and as `train`.
 */
export function reproduce(run: string, options: ReproduceOptions = {}): FollowedTraining<Reproduction> {
  return followTraining(async (tell) => {
    const { python, signal, deep = false, ...wanted } = callArguments("reproduce", reproduceArguments, { ...options, run });
    const plan = await planReproduction(run, wanted);
    const found = await resolvePython(pythonOf(plan.run, python), signal);
    const reproduction = await reproduceRun(plan, found, { signal }, { onEvent: tell });
    return deep ? deepenReproduction(plan, reproduction, { python: async () => found, signal, listen: () => ({ onEvent: tell }) }) : reproduction;
  });
}

/** Check whether a run can be reproduced, before anything is started. @throws {BhBridgeError} as `reproduce`. */
export async function planReproduction(path: string, { steps, corpus }: Pick<ReproduceOptions, "steps" | "corpus"> = {}): Promise<TrainAgainPlan> {
  const run = await openRun(resolve(path));
  requireOwnStart(run);
  const recorded = recordedStep(run.directory) ?? 0;
  if (recorded === 0) throw new BhBridgeError("USAGE", `${run.directory} has recorded no step: there is nothing to compare with`);
  if (steps !== undefined && steps > recorded) throw new BhBridgeError("USAGE", `${run.directory} has recorded ${count(recorded, "step")}, not ${steps}`);
  return { run, until: steps ?? recorded, corpus };
}

/** Reproduce a run with a given interpreter. */
export async function reproduceRun(
  plan: TrainAgainPlan,
  python: UsablePython,
  options: Pick<ReproduceOptions, "signal">,
  listener: TrainListener = {},
): Promise<Reproduction> {
  const { directory, manifest } = plan.run;
  return trainAgain(plan, python, options, listener, ({ environment, history, loss }) => {
    const equal = history.first === null && loss.equal;
    keepReceipt(directory, { at: new Date().toISOString(), steps: plan.until, equal, environment });
    const changes = differences([manifest.environment, environment].map((pin) => ({ ...pin, platform: withoutKernel(pin.platform) })));
    const { recipe } = manifest.environment;
    return { run: directory, steps: plan.until, equal, first: history.first, loss: loss.first, environment: changes, ...(recipe !== undefined && { recipe }) };
  });
}

/**
 * Train a run that was not reproduced twice more, and find where these two diverge: whether this machine is deterministic.
 * @throws {BhBridgeError} as `reproduce`.
 */
export async function deepenReproduction({ run, corpus }: TrainAgainPlan, reproduction: Reproduction, options: DivergenceOptions): Promise<Reproduction> {
  const { equal, first, loss } = reproduction;
  if (equal) return reproduction;
  const found = {
    history: { equal, first, equalTo: first && first.step > 0 ? first.step - 1 : null, reason: null },
    loss: { equal: loss === null, first: loss, reason: null },
  };
  return { ...reproduction, deep: await locateDivergence(planDivergence(run, run, { ...found, corpus }), options) };
}

function keepReceipt(directory: string, receipt: { at: string; steps: number; equal: boolean; environment: EnvironmentPin }): void {
  try {
    const notes = readRunNotes(directory);
    writeRunNotes(directory, { ...notes, reproductions: [...notes.reproductions, receipt] });
  } catch (cause) {
    // A run in a read-only directory can still be reproduced.
    process.emitWarning(`the outcome could not be added to the notes of ${directory}: ${String(cause)}`, "BhBridgeRunWarning");
  }
}
