import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import type { UsablePython } from "../python/require-packages.js";
import { temporaryFolder } from "../python/session-folder.js";
import type { Run } from "../runner/open-run.js";
import type { TrainListener } from "../runner/train.js";
import { recordedStep } from "../runs/history-index.js";
import {
  compareLosses,
  compareRecordings,
  differingLossSchema,
  differingRecordSchema,
  type LossComparison,
  type RecordingComparison,
} from "./compare-recordings.js";
import { comparedStates, compareTraces, StepTrace, tracedDifferenceSchema } from "./compare-traces.js";
import { checkpointBefore, conductAgain, requireOwnStart } from "./train-again.js";

/** Where two trainings part, when both are trained again. */
export const divergenceSchema = z.strictObject({
  /** Absolute paths. */
  a: z.string(),
  b: z.string(),
  /** The last step that both were trained again to. */
  until: z.int().positive(),
  /** The newest step up to which all weights that both have, and what the optimizers keep for them, are equal in every bit; null when the first state is not. */
  equalTo: z.int().nonnegative().nullable(),
  /** The step that `first` and `module` are of; null when it came out the same in every bit. */
  step: z.int().positive().nullable(),
  /** The first difference of that step, in the order in which it is computed. */
  first: tracedDifferenceSchema.nullable(),
  /** The first in what a module gets, gives, or has as a gradient; null when the step differs in none of these. */
  module: tracedDifferenceSchema.nullable(),
  /** Which of them did not come out as they were recorded, and the first bit and loss in which they did not: the recorded value, and the one of today. */
  unlike: z.array(z.strictObject({ which: z.enum(["a", "b"]), history: differingRecordSchema.nullable(), loss: differingLossSchema.nullable() })),
});
export type Divergence = z.output<typeof divergenceSchema>;

/** Two runs whose recordings differ; a run and itself where it did not come out again. */
export interface DivergencePlan {
  readonly a: Run;
  readonly b: Run;
  /** The step in which they part, as far as is known. */
  readonly step: number;
  /** The last step that both are trained again to. */
  readonly until: number;
  /** Begin at a checkpoint before that step where there is one; else at the start, as a run does that did not come out again. */
  readonly fromCheckpoints: boolean;
  /** Where the same text lies now. */
  readonly corpus?: string | undefined;
}

/** What a comparison of two recordings found. */
interface Recorded {
  readonly history: RecordingComparison;
  readonly loss: LossComparison;
  readonly corpus?: string | undefined;
}

/** Where two runs may part whose recordings differ. */
export function planDivergence(a: Run, b: Run, { history, loss, corpus }: Recorded): DivergencePlan {
  const start = history.first && history.equalTo === null ? history.first.step : 0; // the first state differs: the step after it tells with what
  const ends = [a, b].map(({ directory }) => recordedStep(directory) ?? 0);
  const firsts = [history.first, loss.first].flatMap((first) => (first ? [first.step] : []));
  const until = Math.max(start + 1, Math.min(...ends, ...firsts));
  return { a, b, step: Math.min((history.equalTo ?? start) + 1, until), until, fromCheckpoints: a.directory !== b.directory, corpus };
}

/** How both are trained again. */
export interface DivergenceOptions {
  /** The interpreter for a run. */
  readonly python: (run: Run) => Promise<UsablePython>;
  readonly signal?: AbortSignal | undefined;
  /** Called before each training, with its last step; hears it. */
  readonly listen?: (run: Run, until: number) => TrainListener;
}

/** What recordings show is the embedding: other weights may part steps before, which only the second training or a third one can catch. */
const mostRounds = 6;

/**
 * Train two runs again, one after the other, and find where they part: the step, and in it the first tensor that differs, in the order in which it is computed.
 * Each is trained from its own configuration, with its own number of threads. Both are held against their recordings meanwhile.
 * @throws {BhBridgeError} `USAGE` for a run that cannot be trained again; `RESUME_MISMATCH` for another corpus; `ABORTED`; as `train`.
 */
export async function locateDivergence(plan: DivergencePlan, options: DivergenceOptions): Promise<Divergence> {
  const { a, b } = plan;
  const both = { a: a.directory, b: b.directory };
  let wanted: Wanted = plan;
  let unlike: Divergence["unlike"] | undefined; // of the first round, which goes furthest
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

/** Which step is traced, and how far the training goes. */
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

/** The step in which two trainings really part; nothing when their states do not differ. */
function nextStep(differsAt: number | null, trained: readonly TrainedTraced[], traces: readonly StepTrace[]): number | undefined {
  if (differsAt === null) return undefined;
  const canGoBack = traces.every(({ firstStep }, index) => firstStep < differsAt || trained[index]?.fromCheckpoint === true);
  return canGoBack ? differsAt : differsAt + 1; // they begin differently: the first step tells with what
}
