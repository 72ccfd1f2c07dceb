import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FileBytes } from "../formats/file-bytes.js";
import { dtypes, itemSizes } from "../formats/matrix.js";

/** What a tensor of a step is, in the order of a step. */
export const tracedQuantities = [
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
  /** Of the batches of the step, from 1; 0 for what belongs to none. */
  batch: count,
  /** As `named_modules` calls it; empty for the model itself. */
  module: z.string(),
  /** The class of the module. */
  type: z.string(),
  /** A weight, what the optimizer keeps for it, or a part of what a module gets or gives; empty for the whole of it. */
  tensor: z.string(),
  dtype: z.enum(dtypes),
  shape: z.array(count),
  offset: count,
});
export type TracedTensor = z.output<typeof tracedTensorSchema>;

/** Bytes of the digest of a parameter's state. */
const digestBytes = 8;

/** What one step of a training computed, and digests of its states. `python/bh_bridge/recording/step_trace.py` says how it is written. */
export class StepTrace implements Disposable {
  readonly step: number;
  /** The step of the first state. */
  readonly firstStep: number;
  readonly lastStep: number;
  readonly parameters: readonly string[];
  /** In the order in which they came to be. */
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

  /** Digest of a parameter, and of what the optimizer keeps for it, after a step. */
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
