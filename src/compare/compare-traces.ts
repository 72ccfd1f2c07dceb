import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { differingElement } from "../analysis/compare-histories.js";
import { exactNumberSchema } from "../analysis/document-fields.js";
import { FileBytes } from "../formats/file-bytes.js";
import { dtypes, itemSizes } from "../formats/matrix.js";

/** Kinds of tensors of a step, in the order of computation. */
const tracedQuantities = [
  "state",
  "batch",
  "input",
  "output",
  "output gradient",
  "input gradient",
  "gradient",
  "clipped gradient",
  "setting",
  "updated state",
  "state after noise",
] as const;

const count = z.int().nonnegative();
const factsSchema = z.strictObject({ step: z.int().positive(), first_step: count, parameters: z.array(z.string()) });
const tracedTensorSchema = z.strictObject({
  quantity: z.enum(tracedQuantities),
  /** Number of the batch in the step, from 1; 0 if it belongs to none. */
  batch: count,
  /** Name in `named_modules`; empty for the model itself. */
  module: z.string(),
  /** The class of the module. */
  type: z.string(),
  /** A weight, its optimizer state, or a part of a module's input or output; empty for all of it. */
  tensor: z.string(),
  dtype: z.enum(dtypes),
  shape: z.array(count),
  offset: count,
});
type TracedTensor = z.output<typeof tracedTensorSchema>;

const digestBytes = 8;

/** The tensors of one step of a training, and digests of its states, as written by `python/bh_bridge/recording/step_trace.py`. */
export class StepTrace implements Disposable {
  readonly step: number;
  /** The step of the first state. */
  readonly firstStep: number;
  readonly lastStep: number;
  readonly parameters: readonly string[];
  /** In the order of computation. */
  readonly tensors: readonly TracedTensor[];
  readonly #states: Uint8Array;
  readonly #values: FileBytes;

  constructor(directory: string) {
    const facts = factsSchema.parse(JSON.parse(readFileSync(join(directory, "trace.json"), "utf8")));
    this.step = facts.step;
    this.firstStep = facts.first_step;
    this.parameters = facts.parameters;
    this.#states = readFileSync(join(directory, "states.bin"));
    this.lastStep = this.firstStep + this.#states.length / (digestBytes * this.parameters.length) - 1;
    const lines = readFileSync(join(directory, "tensors.jsonl"), "utf8").split("\n");
    this.tensors = lines.filter((line) => line !== "").map((line) => tracedTensorSchema.parse(JSON.parse(line)));
    this.#values = new FileBytes(join(directory, "tensors.bin"));
  }

  digest(step: number, parameter: string): Uint8Array {
    const at = digestBytes * ((step - this.firstStep) * this.parameters.length + this.parameters.indexOf(parameter));
    return this.#states.subarray(at, at + digestBytes);
  }

  /** Elements of a tensor, little-endian, row-major. */
  read({ dtype, offset, tensor }: TracedTensor, first: number, length: number): Uint8Array {
    return this.#values.read(offset + first * itemSizes[dtype], length * itemSizes[dtype], `tensor "${tensor}"`);
  }

  [Symbol.dispose](): void {
    this.#values.close();
  }
}

/** A tensor that differs between a step of two trainings, with its first different element. */
export const tracedDifferenceSchema = z.strictObject({
  quantity: z.enum(tracedQuantities),
  /** Number of the batch in the step, from 1; null if it belongs to none. */
  batch: z.int().positive().nullable(),
  /** Name in PyTorch; empty for the model itself. */
  module: z.string(),
  /** The class of the module in each training; null if it computes nothing there. */
  type: z.tuple([z.string().nullable(), z.string().nullable()]),
  /** A weight, its optimizer state or setting, or a part of the module's input or output; empty for all of it. */
  tensor: z.string(),
  /** Indices of the element in its tensor; null if no elements can be compared, as `reason` explains. */
  element: z.array(z.int().nonnegative()).nullable(),
  a: exactNumberSchema.nullable(),
  b: exactNumberSchema.nullable(),
  /** Distance in numbers of the dtype; null if one is NaN, and for tokens. */
  ulp: z.number().nullable(),
  reason: z.string().nullable(),
});
export type TracedDifference = z.output<typeof tracedDifferenceSchema>;

/** Quantities that modules compute. */
const ofModules: readonly TracedTensor["quantity"][] = ["input", "output", "output gradient", "input gradient", "gradient"];

/** Elements of each tensor in memory at a time. */
const chunkElements = 1 << 20;

/** Compare all bits of one step of two trainings. @returns the first difference, and the first in an input, output or gradient of a module. */
export function compareTraces(a: StepTrace, b: StepTrace): { readonly first: TracedDifference | null; readonly module: TracedDifference | null } {
  let first: TracedDifference | null = null;
  for (const difference of differencesIn(a, b)) {
    first ??= difference;
    if (ofModules.includes(difference.quantity)) return { first, module: difference };
  }
  return { first, module: null };
}

/** The last step up to which the weights and optimizer states of two trainings are equal, and the first at which they differ. */
export function comparedStates(a: StepTrace, b: StepTrace): { equalTo: number | null; differsAt: number | null } {
  const parameters = a.parameters.filter((name) => b.parameters.includes(name));
  const start = Math.max(a.firstStep, b.firstStep);
  for (let step = start; step <= Math.min(a.lastStep, b.lastStep); step++) {
    const isEqual = parameters.every((name) => Buffer.compare(a.digest(step, name), b.digest(step, name)) === 0);
    if (!isEqual) return { equalTo: step === start ? null : step - 1, differsAt: step };
  }
  return { equalTo: Math.min(a.lastStep, b.lastStep), differsAt: null };
}

function* differencesIn(a: StepTrace, b: StepTrace): Generator<TracedDifference> {
  const ofState = ({ quantity }: TracedTensor) => quantity === "state";
  const states = new Map(b.tensors.filter(ofState).map((tensor) => [keyOf(tensor), tensor]));
  for (const tensor of a.tensors.filter(ofState)) {
    const other = states.get(keyOf(tensor)); // a weight that only one has is reported where it is used
    const difference = other && differenceOf(a, tensor, b, other);
    if (difference) yield difference;
  }
  const [left, right] = [a, b].map(({ tensors }) => tensors.filter((tensor) => !ofState(tensor))) as [TracedTensor[], TracedTensor[]];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [tensor, other] = [left[at], right[at]];
    if (!tensor || !other || keyOf(tensor) !== keyOf(other)) {
      yield alone(tensor, left, other, right);
      return; // later tensors do not correspond
    }
    const difference = differenceOf(a, tensor, b, other);
    if (difference) yield difference;
  }
}

function keyOf({ quantity, batch, module, tensor }: TracedTensor): string {
  return JSON.stringify([quantity, batch, module, tensor]);
}

/** The difference if one step computes a tensor where the other computes a different one, or none. */
function alone(
  tensor: TracedTensor | undefined,
  left: readonly TracedTensor[],
  other: TracedTensor | undefined,
  right: readonly TracedTensor[],
): TracedDifference {
  const has = (tensors: readonly TracedTensor[], wanted: TracedTensor) => tensors.some((each) => keyOf(each) === keyOf(wanted));
  if (tensor && !has(right, tensor)) return differenceAt(tensor, [tensor.type, null], { reason: "it is only in a" });
  if (other && !has(left, other)) return differenceAt(other, [null, other.type], { reason: "it is only in b" });
  const moved = (tensor ?? other) as TracedTensor;
  return differenceAt(moved, [moved.type, moved.type], { reason: "a and b compute it at different positions" });
}

function differenceOf(a: StepTrace, tensor: TracedTensor, b: StepTrace, other: TracedTensor): TracedDifference | undefined {
  const types = [tensor.type, other.type] as const;
  const [left, right] = [tensor, other].map(({ dtype, shape }) => `${dtype} [${shape.join(", ")}]`);
  if (left !== right) return differenceAt(tensor, types, { reason: `it is ${left} in a, ${right} in b` });
  const elements = tensor.shape.reduce((product, size) => product * size, 1);
  for (let first = 0; first < elements; first += chunkElements) {
    const length = Math.min(chunkElements, elements - first);
    const found = differingElement(tensor.dtype, a.read(tensor, first, length), b.read(other, first, length));
    if (!found) continue;
    const { index, ...values } = found;
    return differenceAt(tensor, types, { element: indicesOf(first + index, tensor.shape), ...values });
  }
  return undefined;
}

function differenceAt(
  { quantity, batch, module, tensor }: TracedTensor,
  [a, b]: readonly [string | null, string | null],
  found: Partial<TracedDifference>,
): TracedDifference {
  return { quantity, batch: batch || null, module, type: [a, b], tensor, element: null, a: null, b: null, ulp: null, reason: null, ...found };
}

/** The indices of an element by its number in row-major order. */
function indicesOf(index: number, shape: readonly number[]): number[] {
  let left = index;
  const reversed = shape.toReversed().map((size) => {
    const position = left % size;
    left = Math.floor(left / size);
    return position;
  });
  return reversed.reverse();
}
