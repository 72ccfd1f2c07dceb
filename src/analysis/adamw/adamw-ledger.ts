import type { RunConfig } from "../../config/run-config-schema.js";
import { BhBridgeError } from "../../errors.js";
import { type History, readState, stepsOf } from "../../formats/history.js";
import type { RecordedRun } from "../analysis.js";
import { roundToBfloat16 } from "../elements.js";
import {
  type AdamwArithmetic,
  type AdamwSettings,
  adamwStep,
  type ComponentBefore,
  leftOver,
  type StepComponent,
  type SteppedComponent,
} from "./adamw-step.js";

/** Number of components that changed, by cause. */
interface MovedBy {
  /** The moments alone suffice, the decay alone does not. */
  moment: number;
  /** The decay alone suffices, the moments alone do not. */
  decay: number;
  /** Each of the two suffices. */
  either: number;
  /** Only both together suffice. */
  together: number;
}

/** Number of components that did not change, by cause. */
interface HeldBy {
  /** The update is zero. */
  nothing: number;
  /** The update and each of its parts are rounded away. */
  rounding: number;
  /** One part alone would have changed it, but the other cancels it. */
  opposition: number;
}

interface StepEntry {
  readonly step: number;
  components: number;
  unexplained: number;
  readonly movedBy: MovedBy;
  readonly heldBy: HeldBy;
  /** Sums over the components of the absolute value of each part of the update. */
  decay: number;
  moment: number;
  rounding: number;
}

export function emptyStepEntry(step: number): StepEntry {
  return {
    step,
    components: 0,
    unexplained: 0,
    movedBy: { moment: 0, decay: 0, either: 0, together: 0 },
    heldBy: { nothing: 0, rounding: 0, opposition: 0 },
    decay: 0,
    moment: 0,
    rounding: 0,
  };
}

/** Add a component whose weight was `start`, with the cause of its change or rest. */
export function enterComponent(
  entry: StepEntry,
  start: number,
  { weight, decayed, moved }: SteppedComponent,
  { narrowWeights, weightDecay }: Pick<AdamwSettings, "narrowWeights" | "weightDecay">,
): void {
  const isMovedByAlone = (value: number): boolean => (narrowWeights ? roundToBfloat16(value) : value) !== start;
  const decays = isMovedByAlone(decayed);
  const moves = isMovedByAlone(Math.fround(start + moved));
  entry.components++;
  if (weight !== start) entry.movedBy[moves && decays ? "either" : moves ? "moment" : decays ? "decay" : "together"]++;
  else if (moves || decays) entry.heldBy.opposition++;
  else entry.heldBy[moved === 0 && (start === 0 || weightDecay === 0) ? "nothing" : "rounding"]++;
  entry.decay += Math.abs(decayed - start);
  entry.moment += Math.abs(moved);
  entry.rounding += Math.abs(weight - decayed - moved);
}

/** The recorded histories of a weight and its optimizer state, with the same rows. */
export interface LedgerTensors {
  readonly weight: History;
  readonly gradient: History;
  readonly firstMoment: History;
  readonly secondMoment: History;
  /** The float32 copy that the optimizer steps in place of the weight, if any. */
  readonly master?: History | undefined;
}

/** A component whose recomputed value differs from the recorded one. */
interface Unexplained {
  readonly step: number;
  readonly token: number;
  readonly component: number;
  readonly tensor: keyof LedgerTensors;
  readonly recorded: number;
  readonly recomputed: number;
}

export interface AdamwLedger {
  readonly components: number;
  readonly explained: number;
  /** Components that are reproduced only with a root of the second moment that is a neighbour of the nearest float32. */
  readonly nearbyRoots: number;
  readonly first: Unexplained | null;
  /** Results of the recomputed steps, in order. */
  readonly entries: readonly StepEntry[];
}

interface OptimizerState {
  /** The weight that is stepped: the float32 copy if there is one. */
  readonly weight: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

function statesByStep(history: History): { has(step: number): boolean; read(step: number): Float32Array } {
  const states = new Map(stepsOf(history).map((step, state) => [step, state]));
  return { has: (step) => states.has(step), read: (step) => readState(history, states.get(step) ?? 0).toFloat32() };
}

/** Except in its fused kernel, torch takes roots with a library that rounds some to a neighbour of the nearest float32. Rounding to bfloat16 hides this. */
function rootShifts({ arithmetic, narrowWeights }: AdamwSettings): readonly number[] {
  return arithmetic === "float32" || (arithmetic === "by-operation" && !narrowWeights) ? [0, 1, -1] : [0];
}

/** Step a component with the nearest root, or with a neighbour of it if only that gives the recorded weight. */
function stepWithRoot(step: StepComponent, before: ComponentBefore, shifts: readonly number[], recorded: number): { result: SteppedComponent; shift: number } {
  for (const shift of shifts) {
    const result = step(before, shift);
    if (Object.is(result.weight, recorded)) return { result, shift };
  }
  return { result: step(before, 0), shift: 0 };
}

/**
 * Recompute every step of a weight from the recorded state before it and its gradient. For every component, check whether the weight and both moments have the
 * recorded bits (all NaNs are equal), and determine what moved or held the weight. Two steps are in memory. Steps with a missing tensor or predecessor are skipped.
 * @param rateOf the learning rate of a step, counted from 1.
 * @param from the first step to start from: earlier records are not what the optimizer had.
 */
export function* adamwLedger(tensors: LedgerTensors, settings: AdamwSettings, rateOf: (step: number) => number, from = 0): Generator<number, AdamwLedger> {
  const [weight, gradient, firstMoment, secondMoment] = [tensors.weight, tensors.gradient, tensors.firstMoment, tensors.secondMoment].map(statesByStep);
  const master = tensors.master && statesByStep(tensors.master);
  if (!(weight && gradient && firstMoment && secondMoment)) throw new Error("a tensor is missing");
  const { dims, rowTokens } = tensors.weight;
  const shifts = rootShifts(settings);
  const components = rowTokens.vocabulary * dims;
  const vectorised = components - leftOver(components, settings);
  const one: ComponentBefore = { weight: 0, gradient: 0, firstMoment: 0, secondMoment: 0, isLeftOver: false };
  const stepped = master ? { ...settings, narrowWeights: false } : settings;
  const stateAt = (step: number): OptimizerState => ({
    weight: (master && step > from ? master : weight).read(step), // the first step makes the copy from the weights
    firstMoment: firstMoment.read(step),
    secondMoment: secondMoment.read(step),
  });
  const isWhole = (step: number): boolean => [weight, firstMoment, secondMoment, ...(master ? [master] : [])].every((tensor) => tensor.has(step));
  const entries: StepEntry[] = [];
  let first: Unexplained | null = null;
  let nearbyRoots = 0;
  let before: { step: number; after: OptimizerState } | undefined;
  for (const [state, step] of stepsOf(tensors.weight).entries()) {
    if (step <= from || !(isWhole(step - 1) && isWhole(step) && gradient.has(step))) continue;
    const old = before?.step === step - 1 ? before.after : stateAt(step - 1);
    const after = stateAt(step);
    const gradients = gradient.read(step);
    const shadow = master && weight.read(step);
    const component: StepComponent = adamwStep(stepped, step, rateOf(step));
    const entry = emptyStepEntry(step);
    for (let index = 0; index < gradients.length; index++) {
      const token = rowTokens.ofRow(Math.floor(index / dims));
      const start = old.weight[index] ?? 0;
      one.weight = start;
      one.gradient = gradients[index] ?? 0;
      one.firstMoment = old.firstMoment[index] ?? 0;
      one.secondMoment = old.secondMoment[index] ?? 0;
      one.isLeftOver = token * dims + (index % dims) >= vectorised;
      const { result, shift } = stepWithRoot(component, one, shifts, after.weight[index] ?? 0);
      if (shift !== 0) nearbyRoots++;
      const wrong = difference(result, after, shadow, index, master !== undefined);
      if (wrong) {
        entry.unexplained++;
        first ??= { step, token, component: index % dims, ...wrong };
      }
      enterComponent(entry, start, result, stepped);
    }
    entries.push(entry);
    before = { step, after };
    yield state + 1;
  }
  const compared = entries.reduce((sum, entry) => sum + entry.components, 0);
  const unexplained = entries.reduce((sum, entry) => sum + entry.unexplained, 0);
  return { components: compared, explained: compared - unexplained, nearbyRoots, first, entries };
}

/** The first tensor in which a recomputed component differs from the recorded one. */
function difference(
  { weight, firstMoment, secondMoment }: SteppedComponent,
  after: OptimizerState,
  shadow: Float32Array | undefined,
  index: number,
  hasMaster: boolean,
): Pick<Unexplained, "tensor" | "recorded" | "recomputed"> | undefined {
  const compare = (tensor: keyof LedgerTensors, recorded: number | undefined, recomputed: number) =>
    Object.is(recorded, recomputed) ? undefined : { tensor, recorded: recorded ?? 0, recomputed };
  return (
    compare("firstMoment", after.firstMoment[index], firstMoment) ??
    compare("secondMoment", after.secondMoment[index], secondMoment) ??
    compare(hasMaster ? "master" : "weight", after.weight[index], weight) ??
    (shadow && compare("weight", shadow[index], roundToBfloat16(weight)))
  );
}

type Schedule = Pick<RunConfig["training"], "lr_scheduler_type" | "learning_rate" | "max_steps" | "warmup_steps">;

/**
 * The learning rate of a step, counted from 1, in float64 as in HF's `get_scheduler`; undefined for a schedule that needs more than divisions, such as a cosine,
 * whose last bit depends on the library.
 */
export function learningRates({ lr_scheduler_type, learning_rate, max_steps, warmup_steps }: Schedule): ((step: number) => number) | undefined {
  const warmup = warmup_steps >= 1 ? Math.floor(warmup_steps) : Math.ceil(max_steps * warmup_steps);
  const rising = (done: number): number => done / Math.max(1, warmup);
  switch (lr_scheduler_type) {
    case "constant":
      return () => learning_rate;
    case "constant_with_warmup":
      return (step) => (step - 1 < warmup ? learning_rate * rising(step - 1) : learning_rate);
    case "linear":
      return (step) => learning_rate * (step - 1 < warmup ? rising(step - 1) : Math.max(0, (max_steps - (step - 1)) / Math.max(1, max_steps - warmup)));
    default:
      return undefined;
  }
}

/** CPUs with fused multiply-adds in baseline code. */
const baselineFma = /arm64|aarch64/i;

function arithmeticOf({ config: { engine, model, training } }: RecordedRun): AdamwArithmetic {
  if (engine.name === "portable") return "portable";
  if (model.dtype === "float32-master" || training.optimizer_state_dtype === "float32") return "float32";
  return training.optim === "adamw_torch_fused" ? "fused" : "by-operation";
}

/** Recorded learning rates, or else those of the schedule. */
async function ratesOf({ config, tensors, open }: RecordedRun): Promise<(step: number) => number> {
  if (!tensors.includes("learning_rate")) return learningRates(config.training) ?? (() => Number.NaN);
  const recorded = await open("learning_rate");
  try {
    const rates = new Map(stepsOf(recorded).map((step, state) => [step, readState(recorded, state).at(0, 0)]));
    return (step) => rates.get(step) ?? Number.NaN;
  } finally {
    recorded.close();
  }
}

/**
 * The ledger of a run's embedding, from its recorded gradients and moments.
 * @param work runs the ledger cooperatively.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` if a tensor has other rows than the embedding.
 */
export async function ledgerOfRun(
  weight: History,
  run: RecordedRun,
  note: (line: string) => void,
  work: (steps: Generator<number, AdamwLedger>) => Promise<AdamwLedger>,
): Promise<{ ledger: AdamwLedger; arithmetic: AdamwArithmetic }> {
  const { config, environment } = run;
  const { training, model } = config;
  const arithmetic = arithmeticOf(run);
  if (!environment.device.startsWith("cpu")) {
    note(`adamw: the run was trained on ${environment.device}, but its steps are recomputed as on a CPU, so some bits differ`);
  }
  const opened: History[] = [];
  const open = async (tensor: string): Promise<History> => {
    const history = await run.open(tensor);
    opened.push(history);
    if (history.tokens === weight.tokens && history.dims === weight.dims) return history;
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${tensor} was recorded for other rows than the embedding: its steps cannot be recomputed`);
  };
  try {
    const tensors = {
      weight,
      gradient: await open("wte.grad"),
      firstMoment: await open("wte.exp_avg"),
      secondMoment: await open("wte.exp_avg_sq"),
      ...(model.dtype === "float32-master" && { master: await open("wte.master") }),
    };
    const settings = {
      arithmetic,
      narrowWeights: weight.dtype === "BF16",
      narrowMoments: tensors.firstMoment.dtype === "BF16",
      fma: environment.cpu_capability !== "DEFAULT" || baselineFma.test(environment.platform),
      beta1: training.adam_beta1,
      beta2: training.adam_beta2,
      epsilon: training.adam_epsilon,
      weightDecay: training.weight_decay,
    };
    const firstStep = stepsOf(weight)[0] ?? 0;
    const ledger = await work(adamwLedger(tensors, settings, await ratesOf(run), run.goesOn ? firstStep + 1 : firstStep));
    if (ledger.entries.length === 0) note("adamw: no two consecutive steps were recorded, so no step can be recomputed");
    return { ledger, arithmetic };
  } finally {
    for (const history of opened) history.close();
  }
}
