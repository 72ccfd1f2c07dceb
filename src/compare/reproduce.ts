import { resolve } from "node:path";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { openRun } from "../runner/open-run.js";
import { type FollowedTraining, followTraining, type TrainListener } from "../runner/train.js";
import { recordedStep } from "../runs/history-index.js";
import { type EnvironmentPin, readRunNotes, withoutKernel, writeRunNotes } from "../runs/run-manifest.js";
import { count } from "../text/format.js";
import { differingLossSchema, differingRecordSchema } from "./compare-recordings.js";
import { type DivergenceOptions, divergenceSchema, locateDivergence, planDivergence } from "./locate-divergence.js";
import { differenceSchema, differences } from "./run-facts.js";
import { pythonOf, requireOwnStart, type TrainAgainPlan, trainAgain } from "./train-again.js";

/** Whether a run came out the same when it was trained again. */
export const reproductionSchema = z.strictObject({
  /** Absolute path. */
  run: z.string(),
  /** The last step that was to be trained again. */
  steps: z.int().positive(),
  /** Whether every recorded state and every loss up to it has the same bits. */
  equal: z.boolean(),
  /** The first recorded bit that differs. */
  first: differingRecordSchema.nullable(),
  /** The first loss that differs. */
  loss: differingLossSchema.nullable(),
  /** What differs in the environment: the run's value, and the present one. */
  environment: z.array(differenceSchema),
  /** Where two further trainings of today part; left out where none was asked for, or the run is equal. */
  deep: divergenceSchema.optional(),
});
export type Reproduction = z.output<typeof reproductionSchema>;

/** What is trained again, and with what. */
export interface ReproduceOptions {
  /** The last step; the last one that the run recorded when left out. */
  steps?: number | undefined;
  /** Where the same text lies now. */
  corpus?: string | undefined;
  /** Path of an interpreter; the run's own configuration says which when left out. */
  python?: string | undefined;
  /** Where it is not equal, train it twice more, and say whether the two part, and in which tensor of which step. */
  deep?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

const reproduceArguments = z.strictObject({
  run: z.string(),
  steps: z.int().positive().optional(),
  corpus: z.string().optional(),
  python: z.string().optional(),
  deep: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * Train a run again from its own configuration, and compare every recorded state and every loss, in all their bits. The receipt is added to the run's notes.
 * Iterate over it to follow the events of the training.
 * @param run path of its directory; nothing but its notes changes.
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

/** Read a run that is to be trained again. @throws {BhBridgeError} as `reproduce`, before anything is started. */
export async function planReproduction(path: string, { steps, corpus }: Pick<ReproduceOptions, "steps" | "corpus"> = {}): Promise<TrainAgainPlan> {
  const run = await openRun(resolve(path));
  requireOwnStart(run);
  const recorded = recordedStep(run.directory) ?? 0;
  if (recorded === 0) throw new BhBridgeError("USAGE", `${run.directory} has recorded no step: there is nothing to compare with`);
  if (steps !== undefined && steps > recorded) throw new BhBridgeError("USAGE", `${run.directory} has recorded ${count(recorded, "step")}, not ${steps}`);
  return { run, until: steps ?? recorded, corpus };
}

/** Train a run again with an interpreter that has been found. */
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
    return { run: directory, steps: plan.until, equal, first: history.first, loss: loss.first, environment: changes };
  });
}

/**
 * Train a run that did not come out again twice more, and find where these two part: whether this machine computes the same twice.
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
    // A run on a share that may only be read is reproduced all the same.
    process.emitWarning(`the receipt could not be noted in ${directory}: ${String(cause)}`, "BhBridgeRunWarning");
  }
}
