import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { differingElement } from "../analysis/compare-histories.js";
import { exactNumberSchema } from "../analysis/document-fields.js";
import { BhBridgeError } from "../errors.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import { itemSizes } from "../formats/matrix.js";
import type { TensorFile } from "../formats/safetensors/safetensors.js";
import type { StoredTensor } from "../formats/stored-tensor.js";
import { manifestSums, sha256OfFile } from "../runs/checksums.js";
import { requireFolder } from "../runs/file-types.js";
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

function unequal(reason: string): ModelComparison {
  return { equal: false, first: null, reason };
}

function describe({ dtype, shape }: StoredTensor): string {
  return `${dtype} [${shape.join(", ")}]`;
}

function firstDifference(a: StoredTensor, b: StoredTensor): DifferingWeight | undefined {
  const [left, right] = [a.rows(), b.rows()];
  const { dtype, rows, columns } = left;
  const rowBytes = columns * itemSizes[dtype];
  const most = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let row = 0; row < rows; row += most) {
    const count = Math.min(most, rows - row);
    const [one, other] = [new Uint8Array(count * rowBytes), new Uint8Array(count * rowBytes)];
    left.read(row, count, one);
    right.read(row, count, other);
    const found = differingElement(dtype, one, other);
    if (!found) continue;
    const { index, ...element } = found;
    return { tensor: a.name, row: row + Math.floor(index / columns), component: index % columns, ...element };
  }
  return undefined;
}
