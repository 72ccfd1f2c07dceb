import { type History, readState, stepsOf } from "../../formats/history.js";
import { roundToBfloat16 } from "../elements.js";
import { type AdamwSettings, adamwStep, type ComponentBefore, leftOver, type StepComponent, type SteppedComponent } from "./adamw-step.js";

/** What moved the components of a step that moved: each counts once. */
interface MovedBy {
  /** What the moments add is enough; the decay alone is not. */
  moment: number;
  /** The decay is enough; what the moments add is not. */
  decay: number;
  /** Each of the two is enough. */
  either: number;
  /** Neither alone is enough. */
  together: number;
}

/** What held the components of a step that stayed: each counts once. */
interface HeldBy {
  /** Nothing: its update is zero. */
  nothing: number;
  /** Rounding: its update is smaller than half of the distance to the next number of the dtype, and so is each of its parts. */
  rounding: number;
  /** One part alone would have moved it, and the other took that back. */
  opposition: number;
}

/** What a ledger says of one step. */
interface StepEntry {
  readonly step: number;
  components: number;
  unexplained: number;
  readonly movedBy: MovedBy;
  readonly heldBy: HeldBy;
  /** Sums over the components of the absolute value of each part of the update: what the decay, the moments and the rounding add. */
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

/** Enter a component whose weight was `start`, and say what moved or held it. */
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

/** What was recorded of a weight and of what steps it, all of the same rows. */
export interface LedgerTensors {
  readonly weight: History;
  readonly gradient: History;
  readonly firstMoment: History;
  readonly secondMoment: History;
  /** The float32 copy that is stepped in place of the weight, and rounded to it, where there is one. */
  readonly master?: History | undefined;
}

/** A component that did not come out as it was recorded. */
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
  /** Components whose weight comes out with a root of the second moment that is a float32 beside the nearest one. */
  readonly nearbyRoots: number;
  readonly first: Unexplained | null;
  /** Of the steps that could be looked at, in order. */
  readonly entries: readonly StepEntry[];
}

/** What the optimizer keeps between steps, decoded. */
interface Kept {
  /** The weight that is stepped: the float32 copy, where there is one. */
  readonly weight: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
}

/** The states of a tensor by their steps, decoded. */
function statesByStep(history: History): { has(step: number): boolean; read(step: number): Float32Array } {
  const states = new Map(stepsOf(history).map((step, state) => [step, state]));
  return { has: (step) => states.has(step), read: (step) => readState(history, states.get(step) ?? 0).toFloat32() };
}

/** torch takes roots with a library that rounds some to a float32 beside the nearest, unless the operation is its own, or is rounded to bfloat16 afterwards. */
function rootShifts({ arithmetic, narrowWeights }: AdamwSettings): readonly number[] {
  return arithmetic === "float32" || (arithmetic === "by-operation" && !narrowWeights) ? [0, 1, -1] : [0];
}

/** Step a component with the nearest root or, where only that gives the recorded weight, with one beside it. */
function stepWithRoot(step: StepComponent, before: ComponentBefore, shifts: readonly number[], recorded: number): { result: SteppedComponent; shift: number } {
  for (const shift of shifts) {
    const result = step(before, shift);
    if (Object.is(result.weight, recorded)) return { result, shift };
  }
  return { result: step(before, 0), shift: 0 };
}

/**
 * Recompute every step of a weight from what was recorded before it and from its gradient, and say of every component whether the weight and both moments came
 * out as they were recorded, in every bit, and what moved or held the weight. NaN is as good as any other NaN.
 *
 * Two steps are in memory. Steps whose step before was not recorded, or of which a tensor is missing, are left out.
 *
 * @param rateOf the learning rate of a step, counted from 1.
 * @param from the first step that is stepped from: what was recorded before it was not what the optimizer had.
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
  const keptAt = (step: number): Kept => ({
    weight: (master && step > from ? master : weight).read(step), // the copy is made from the weights in the first step
    firstMoment: firstMoment.read(step),
    secondMoment: secondMoment.read(step),
  });
  const isWhole = (step: number): boolean => [weight, firstMoment, secondMoment, ...(master ? [master] : [])].every((tensor) => tensor.has(step));
  const entries: StepEntry[] = [];
  let first: Unexplained | null = null;
  let nearbyRoots = 0;
  let before: { step: number; kept: Kept } | undefined;
  for (const [state, step] of stepsOf(tensors.weight).entries()) {
    if (step <= from || !(isWhole(step - 1) && isWhole(step) && gradient.has(step))) continue;
    const old = before?.step === step - 1 ? before.kept : keptAt(step - 1);
    const kept = keptAt(step);
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
      const { result, shift } = stepWithRoot(component, one, shifts, kept.weight[index] ?? 0);
      if (shift !== 0) nearbyRoots++;
      const wrong = difference(result, kept, shadow, index, master !== undefined);
      if (wrong) {
        entry.unexplained++;
        first ??= { step, token, component: index % dims, ...wrong };
      }
      enterComponent(entry, start, result, stepped);
    }
    entries.push(entry);
    before = { step, kept };
    yield state + 1;
  }
  const looked = entries.reduce((sum, entry) => sum + entry.components, 0);
  const unexplained = entries.reduce((sum, entry) => sum + entry.unexplained, 0);
  return { components: looked, explained: looked - unexplained, nearbyRoots, first, entries };
}

/** The first tensor in which a component did not come out as recorded. */
function difference(
  { weight, firstMoment, secondMoment }: SteppedComponent,
  kept: Kept,
  shadow: Float32Array | undefined,
  index: number,
  hasMaster: boolean,
): Pick<Unexplained, "tensor" | "recorded" | "recomputed"> | undefined {
  const compare = (tensor: keyof LedgerTensors, recorded: number | undefined, recomputed: number) =>
    Object.is(recorded, recomputed) ? undefined : { tensor, recorded: recorded ?? 0, recomputed };
  return (
    compare("firstMoment", kept.firstMoment[index], firstMoment) ??
    compare("secondMoment", kept.secondMoment[index], secondMoment) ??
    compare(hasMaster ? "master" : "weight", kept.weight[index], weight) ??
    (shadow && compare("weight", shadow[index], roundToBfloat16(weight)))
  );
}
