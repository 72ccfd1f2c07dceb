import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import type { UsablePython } from "../python/require-packages.js";
import { temporaryFolder } from "../python/session-folder.js";
import {
  compareLosses,
  compareRecordings,
  differingLossSchema,
  differingRecordSchema,
  type LossComparison,
  type RecordingComparison,
} from "../runner/compare-recordings.js";
import type { TrainListener } from "../runner/train.js";
import { checkpointBefore, conductAgain, requireOwnStart, type TrainedBefore } from "../runner/train-again.js";
import { recordedStep } from "../runs/history-index.js";
import type { WeightsComparison } from "./compare-models.js";
import { comparedStates, compareTraces, StepTrace, tracedDifferenceSchema } from "./compare-traces.js";

/** Where two repeated trainings diverge. */
export const divergenceSchema = z.strictObject({
  /** Absolute paths. */
  a: z.string(),
  b: z.string(),
  /** The last step that both were trained again to. */
  until: z.int().positive(),
  /** The last step up to which the common weights and their optimizer states have equal bits; null if the first state differs. */
  equalTo: z.int().nonnegative().nullable(),
  /** The step of `first` and `module`; null if its bits are equal. */
  step: z.int().positive().nullable(),
  /** The first difference of that step, in the order of computation. */
  first: tracedDifferenceSchema.nullable(),
  /** The first difference in an input, output or gradient of a module, if any. */
  module: tracedDifferenceSchema.nullable(),
  /** The runs that differ from their records, with the first different bit and loss: the recorded value, and the present one. */
  unlike: z.array(z.strictObject({ which: z.enum(["a", "b"]), history: differingRecordSchema.nullable(), loss: differingLossSchema.nullable() })),
});
export type Divergence = z.output<typeof divergenceSchema>;

/** Two runs whose recordings differ; twice the same run if it was not reproduced. */
export interface DivergencePlan {
  readonly a: TrainedBefore;
  readonly b: TrainedBefore;
  /** The step in which they diverge, as far as known. */
  readonly step: number;
  /** The last step to train. */
  readonly until: number;
  /** Whether to start from a checkpoint before that step, if any, instead of the beginning. */
  readonly fromCheckpoints: boolean;
  /** Present path of the same text. */
  readonly corpus?: string | undefined;
}

/** Plan where to look for the divergence of two runs with different recordings. */
export function planDivergence(
  a: TrainedBefore,
  b: TrainedBefore,
  {
    history,
    weights,
    loss,
    corpus,
  }: { history: RecordingComparison; weights?: WeightsComparison | undefined; loss: LossComparison; corpus?: string | undefined },
): DivergencePlan {
  const start = history.first && history.equalTo === null ? history.first.step : 0; // if the first state differs, the next step shows the cause
  const ends = [a, b].map(({ directory }) => recordedStep(directory) ?? 0);
  const firsts = [history.first, weights?.first, loss.first].flatMap((first) => (first ? [first.step] : []));
  const until = Math.max(start + 1, Math.min(...ends, ...firsts));
  const equalTo = Math.min(history.equalTo ?? start, weights?.first ? (weights.equalTo ?? start) : until); // other weights may differ before the embedding
  return { a, b, step: Math.min(equalTo + 1, until), until, fromCheckpoints: a.directory !== b.directory, corpus };
}

export interface DivergenceOptions {
  readonly python: (run: TrainedBefore) => Promise<UsablePython>;
  readonly signal?: AbortSignal | undefined;
  /** Called before each training with its last step; returns a listener. */
  readonly listen?: (run: TrainedBefore, until: number) => TrainListener;
}

/** Recordings contain the embedding only. Other weights may diverge earlier, which further rounds find. */
const mostRounds = 6;

/**
 * Train two runs again, one after the other, and find the step in which they diverge and its first different tensor, in the order of computation. Each is trained
 * from its own configuration with its own number of threads, and compared with its recording.
 * @throws {BhBridgeError} `USAGE` for a run that cannot be trained again; `RESUME_MISMATCH` for another corpus; `ABORTED`; as `train`.
 */
export async function locateDivergence(plan: DivergencePlan, options: DivergenceOptions): Promise<Divergence> {
  const { a, b } = plan;
  const both = { a: a.directory, b: b.directory };
  let wanted: Wanted = plan;
  let unlike: Divergence["unlike"] | undefined; // from the first round, which trains the most steps
  for (let round = 1; ; round++) {
    using folder = temporaryFolder("deep");
    const left = await trainTraced("a", plan, wanted, { ...options, folder: folder.path });
    const right = await trainTraced("b", plan, wanted, { ...options, folder: folder.path });
    unlike ??= [...left.unlike, ...right.unlike];
    using traceOfA = new StepTrace(left.trace);
    using traceOfB = new StepTrace(right.trace);
    const states = comparedStates(traceOfA, traceOfB);
    const next = nextStep(states.differsAt, [left, right], [traceOfA, traceOfB]);
    if (next !== wanted.step && next !== undefined && round < mostRounds) {
      wanted = { step: next, until: next };
      continue;
    }
    const { first, module } = compareTraces(traceOfA, traceOfB);
    return { ...both, until: plan.until, equalTo: states.equalTo, step: first ? wanted.step : null, first, module, unlike };
  }
}

type Wanted = Pick<DivergencePlan, "step" | "until">;

interface TrainedTraced {
  readonly trace: string;
  readonly fromCheckpoint: boolean;
  readonly unlike: Divergence["unlike"];
}

async function trainTraced(
  which: "a" | "b",
  plan: DivergencePlan,
  { step, until }: Wanted,
  { python, signal, listen, folder }: DivergenceOptions & { folder: string },
): Promise<TrainedTraced> {
  const run = plan[which];
  const checkpoint = plan.fromCheckpoints ? checkpointBefore(run.directory, step) : undefined;
  if (checkpoint === undefined) requireOwnStart(run);
  const trace = join(folder, `${which}-trace`);
  mkdirSync(trace);
  const out = join(folder, which);
  const again = await conductAgain(
    { run, until, checkpoint, corpus: plan.corpus },
    await python(run),
    { signal, out, trace: { step, directory: trace } },
    listen?.(run, until) ?? {},
  );
  if (signal?.aborted) throw new BhBridgeError("ABORTED", "training both again was stopped", { cause: signal.reason });
  const history = (await compareRecordings(run.directory, again.directory, { signal })).first;
  const loss = compareLosses(run.directory, again.directory, until).first;
  return { trace, fromCheckpoint: checkpoint !== undefined, unlike: history || loss ? [{ which, history, loss }] : [] };
}

/** The step in which two trainings actually diverge; undefined if their states do not differ. */
function nextStep(differsAt: number | null, trained: readonly TrainedTraced[], traces: readonly StepTrace[]): number | undefined {
  if (differsAt === null) return undefined;
  const canGoBack = traces.every(({ firstStep }, index) => firstStep < differsAt || trained[index]?.fromCheckpoint === true);
  return canGoBack ? differsAt : differsAt + 1; // they start differently, and the first step shows the cause
}
