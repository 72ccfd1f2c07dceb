import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { differingElement } from "../analysis/compare-histories.js";
import { exactNumber, exactNumberSchema } from "../analysis/document-fields.js";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { runHere } from "../analysis/scan/run-in-parts.js";
import { BhBridgeError } from "../errors.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import { itemSizes, Matrix } from "../formats/matrix.js";
import type { TensorFile } from "../formats/safetensors/safetensors.js";
import { rowsAndColumns, type StoredTensor } from "../formats/stored-tensor.js";
import { modelSources } from "../runner/exported.js";
import type { ModelAtStep } from "../runner/model-at.js";
import { manifestSums, sha256OfFile } from "../runs/checksums.js";
import { requireFolder } from "../runs/file-types.js";
import { type ModelDeltas, type ModelTensor, openModelDeltas } from "../runs/model-deltas.js";
import { finalFolder, modelManifestFile } from "../runs/run-layout.js";

/** The first different element of two models; rows have the last dimension of the tensor. */
const differingWeightSchema = z.strictObject({
  tensor: z.string(),
  row: z.int().nonnegative(),
  component: z.int().nonnegative(),
  a: exactNumberSchema,
  b: exactNumberSchema,
  ulp: z.number().nullable(),
});
type DifferingWeight = z.output<typeof differingWeightSchema>;

/** Result of comparing final models; `reason` explains why they are unequal although no element differs. */
export const modelComparisonSchema = z.strictObject({ equal: z.boolean(), first: differingWeightSchema.nullable(), reason: z.string().nullable() });
type ModelComparison = z.output<typeof modelComparisonSchema>;

/** Result of comparing the weights of every step that two runs recorded. */
export const weightsComparisonSchema = z.strictObject({
  /** Whether all weights of all common steps have the same bits, and both end at the same step. */
  equal: z.boolean(),
  /** The first difference: of the first step that differs, the first tensor in the order of the files. */
  first: differingWeightSchema.extend({ step: z.int().nonnegative() }).nullable(),
  /** The last step up to which all weights have equal bits; null if there is none. */
  equalTo: z.int().nonnegative().nullable(),
  /** Why they are unequal although no bit of a common step differs. */
  reason: z.string().nullable(),
});
export type WeightsComparison = z.output<typeof weightsComparisonSchema>;

/** Bytes of each tensor in memory at a time, or one larger row. */
const chunkBytes = 1 << 20;

/**
 * Compare all bits of the final models of two runs. A run without a model equals no other.
 * @throws {BhBridgeError} `RUN_CORRUPT` if they differ and one does not match its manifest; read errors.
 */
export function compareFinalModels(a: string, b: string): ModelComparison {
  for (const run of [a, b]) requireFolder(join(run, finalFolder));
  const missing = [["a", a] as const, ["b", b] as const].filter(([, run]) => !existsSync(join(run, finalFolder))).map(([name]) => name);
  if (missing.length > 0) return unequal(`there is no final model in ${missing.join(" and ")}`);
  const left = openHfDirectory(join(a, finalFolder));
  try {
    const right = openHfDirectory(join(b, finalFolder));
    try {
      const comparison = compareTensors(left, right);
      if (!comparison.equal) requireSound(a, b);
      return comparison;
    } finally {
      right.close();
    }
  } finally {
    left.close();
  }
}

/** Verify that a difference is not due to damage. @throws {BhBridgeError} `RUN_CORRUPT` naming the damaged file. */
function requireSound(...runs: readonly string[]): void {
  for (const final of runs.map((run) => join(run, finalFolder))) {
    for (const [name, sum] of manifestSums(final)) {
      const path = join(final, name);
      if (existsSync(path) && sha256OfFile(path) === sum) continue;
      throw new BhBridgeError("RUN_CORRUPT", `the final models cannot be compared: ${path} is damaged, its SHA-256 is not the one in ${modelManifestFile}`);
    }
  }
}

function compareTensors(a: TensorFile, b: TensorFile): ModelComparison {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of a.tensors) {
    const other = others.get(tensor.name);
    if (!other) return unequal(`${tensor.name} is only in a`);
    if (describe(tensor) !== describe(other)) return unequal(`${tensor.name} is ${describe(tensor)} in a, ${describe(other)} in b`);
    const first = firstDifference(tensor, other);
    if (first) return { equal: false, first, reason: null };
    others.delete(tensor.name);
  }
  const [left] = others.keys();
  return left === undefined ? { equal: true, first: null, reason: null } : unequal(`${left} is only in b`);
}

/**
 * Compare all bits of the weights that two runs recorded after every step. No model is trained.
 * @returns undefined unless both runs have `record.model: deltas`.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the damaged step; `ABORTED`.
 */
export async function compareRecordedWeights(a: string, b: string, { signal }: ScanOptions): Promise<WeightsComparison | undefined> {
  using left = openModelDeltas(a);
  using right = openModelDeltas(b);
  if (!left || !right) return undefined;
  const unlike = unlikeLayout(left, right);
  if (unlike !== undefined) return { equal: false, first: null, equalTo: null, reason: unlike };
  const [begin, end] = [Math.max(left.firstStep, right.firstStep), Math.min(left.lastStep, right.lastStep)];
  const { equalTo, first } = await runHere(compareSteps(left, right, begin, end), end - begin + 1, { signal });
  const ends = left.lastStep === right.lastStep ? null : `a ends at step ${left.lastStep}, b at step ${right.lastStep}`;
  const reason = first ? null : equalTo === null ? "no step was recorded in both" : ends;
  return { equal: !first && reason === null, first: first ?? null, equalTo, reason };
}

function* compareSteps(
  a: ModelDeltas,
  b: ModelDeltas,
  begin: number,
  end: number,
): Generator<number, { equalTo: number | null; first?: NonNullable<WeightsComparison["first"]> }> {
  let equalTo: number | null = null;
  for (let step = begin; step <= end; step++) {
    const first = a.storesSame(b, step) ? undefined : firstDifferentWeight(a.at(step), b.at(step));
    if (first) return { equalTo, first: { step, ...first } };
    equalTo = step;
    yield step - begin + 1;
  }
  return { equalTo };
}

function firstDifferentWeight(a: readonly ModelTensor[], b: readonly ModelTensor[]): DifferingWeight | undefined {
  const others = new Map(b.map((tensor) => [tensor.name, tensor]));
  for (const { name, dtype, shape, bytes } of a) {
    const found = differingElement(dtype, bytes, others.get(name)?.bytes ?? bytes);
    if (!found) continue;
    const { index, ...element } = found;
    const { columns } = rowsAndColumns(shape);
    return { tensor: name, row: Math.floor(index / columns), component: index % columns, ...element };
  }
  return undefined;
}

/** Why the tensors of two runs cannot be compared, if so. */
function unlikeLayout(a: ModelDeltas, b: ModelDeltas): string | undefined {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of a.tensors) {
    const other = others.get(tensor.name);
    if (!other) return `${tensor.name} is only in a`;
    if (describe(tensor) !== describe(other)) return `${tensor.name} is ${describe(tensor)} in a, ${describe(other)} in b`;
    others.delete(tensor.name);
  }
  const [left] = others.keys();
  return left === undefined ? undefined : `${left} is only in b`;
}

function unequal(reason: string): ModelComparison {
  return { equal: false, first: null, reason };
}

const tensorDistanceSchema = z.strictObject({
  tensor: z.string(),
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  elements: z.int().nonnegative(),
  /** Number of elements with different bits. */
  differing: z.int().nonnegative(),
  /** L2 norm of b − a. */
  l2: exactNumberSchema,
  /** `l2` divided by the L2 norm of a; null where that is 0. */
  relative: exactNumberSchema.nullable(),
  /** Largest absolute difference. */
  max: exactNumberSchema,
});
type TensorDistance = z.output<typeof tensorDistanceSchema>;

const comparedModelSchema = z.strictObject({
  run: z.string(),
  step: z.int().nonnegative(),
  from: z.enum(modelSources),
  /** Number of recorded states that were compared with the model and the steps before it, all equal in every bit. */
  verified: z.int().nonnegative(),
});

/** Distances of all tensors of two models. */
export const modelDistanceSchema = z.strictObject({ a: comparedModelSchema, b: comparedModelSchema, tensors: z.array(tensorDistanceSchema) });
type ModelDistance = z.output<typeof modelDistanceSchema>;

/** Compare all tensors of two models of steps: the first different bit, and the distance of each tensor that both have. @throws {BhBridgeError} read errors. */
export function compareModelsOfSteps(a: ModelAtStep, b: ModelAtStep): { comparison: ModelComparison; distance: ModelDistance } {
  const left = openHfDirectory(a.directory);
  try {
    const right = openHfDirectory(b.directory);
    try {
      const others = new Map(right.tensors.map((tensor) => [tensor.name, tensor]));
      const tensors = left.tensors.flatMap((tensor) => {
        const other = others.get(tensor.name);
        return other && describe(tensor) === describe(other) ? [tensorDistance(tensor, other)] : [];
      });
      const facts = ({ run, step, from, verified }: ModelAtStep) => ({ run, step, from, verified });
      return { comparison: compareTensors(left, right), distance: { a: facts(a), b: facts(b), tensors } };
    } finally {
      right.close();
    }
  } finally {
    left.close();
  }
}

function tensorDistance(a: StoredTensor, b: StoredTensor): TensorDistance {
  let [elements, differing, squares, own, max] = [0, 0, 0, 0, 0];
  for (const { dtype, left, right } of pieces(a, b)) {
    const size = itemSizes[dtype];
    const [before, after] = [left, right].map((bytes) => new Matrix(dtype, [bytes.byteLength / size], bytes).toFloat64());
    for (const [index, value] of (before ?? []).entries()) {
      const [from, to] = [index * size, (index + 1) * size];
      if (Buffer.compare(left.subarray(from, to), right.subarray(from, to)) !== 0) differing++;
      const difference = (after?.[index] ?? 0) - value;
      squares += difference * difference;
      own += value * value;
      max = Number.isNaN(max) || Number.isNaN(difference) ? Number.NaN : Math.max(max, Math.abs(difference));
    }
    elements += before?.length ?? 0;
  }
  const [l2, norm] = [Math.sqrt(squares), Math.sqrt(own)];
  const relative = norm === 0 ? null : exactNumber(l2 / norm);
  return { tensor: a.name, dtype: a.dtype, shape: [...a.shape], elements, differing, l2: exactNumber(l2), relative, max: exactNumber(max) };
}

function describe({ dtype, shape }: Pick<StoredTensor, "dtype" | "shape">): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function firstDifference(a: StoredTensor, b: StoredTensor): DifferingWeight | undefined {
  for (const { dtype, columns, row, left, right } of pieces(a, b)) {
    const found = differingElement(dtype, left, right);
    if (!found) continue;
    const { index, ...element } = found;
    return { tensor: a.name, row: row + Math.floor(index / columns), component: index % columns, ...element };
  }
  return undefined;
}

/** The bytes of two tensors of the same dtype and shape, in pieces of whole rows from `row` on. */
function* pieces(a: StoredTensor, b: StoredTensor) {
  const [source, other] = [a.rows(), b.rows()];
  const { dtype, rows, columns } = source;
  const rowBytes = columns * itemSizes[dtype];
  const most = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    const [left, right] = [new Uint8Array(count * rowBytes), new Uint8Array(count * rowBytes)];
    source.read(row, count, left);
    other.read(row, count, right);
    yield { dtype, columns, row, left, right };
  }
}
