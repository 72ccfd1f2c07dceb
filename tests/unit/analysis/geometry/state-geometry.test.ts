import { expect, test } from "vitest";
import { geometryOfValues, stateGeometry } from "../../../../src/analysis/geometry/state-geometry.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { expectedFrom } from "../../formats/reference-python.js";
import { float64Matrix } from "../matrices.js";

test("the radii of two rows, worked out by hand", () => {
  // Rows (0, 0) and (6, 8): the centroid is (3, 4), both rows are 5 from it, and it is 5 from 0.
  expect(geometryOfValues(Float64Array.of(0, 0, 6, 8), 2, 2)).toEqual({
    centroid: Float64Array.of(3, 4),
    centroidNorm: 5,
    maxRadius: 5,
    meanRadius: 5,
    rmsRadius: 5,
  });
});

test("a mean and a root mean square differ where radii do", () => {
  // 0, 0, 9 lie 3, 3, 6 from their mean 3.
  const { maxRadius, meanRadius, rmsRadius } = geometryOfValues(Float64Array.of(0, 0, 9), 3, 1);
  expect({ maxRadius, meanRadius, rmsRadius }).toEqual({ maxRadius: 6, meanRadius: 4, rmsRadius: Math.sqrt(18) });
});

interface Reference {
  rows: number[][];
  centroid: number[];
  centroidNorm: number;
  maxRadius: number;
  meanRadius: number;
  rmsRadius: number;
}

const reference = expectedFrom<Reference[]>(`
import json
import numpy as np
rng = np.random.default_rng(9)
out = []
for tokens, dims in [(1, 3), (7, 1), (128, 64)]:
    rows = rng.normal(size=(tokens, dims)).astype(np.float32).astype(np.float64)
    centroid = rows.mean(axis=0)
    radii = np.linalg.norm(rows - centroid, axis=1)
    out.append({"rows": rows.tolist(), "centroid": centroid.tolist(), "centroidNorm": float(np.linalg.norm(centroid)), "maxRadius": float(radii.max()), "meanRadius": float(radii.mean()), "rmsRadius": float(np.sqrt((radii ** 2).mean()))})
print(json.dumps(out))`);

test("centroid and radii are numpy's, for float64 and float32 rows alike", () => {
  for (const { rows, centroid, ...figures } of reference) {
    const float32 = new Matrix("F32", [rows.length, rows[0]?.length ?? 0], new Uint8Array(Float32Array.from(rows.flat()).buffer));
    for (const matrix of [float64Matrix(rows), float32]) {
      const geometry = stateGeometry(matrix);
      for (const [dim, value] of centroid.entries()) expect(geometry.centroid[dim]).toBeCloseTo(value, 12);
      for (const [name, value] of Object.entries(figures)) expect(geometry[name as keyof typeof figures], name).toBeCloseTo(value, 12);
    }
  }
});

test("a state with NaN has no largest radius", () => {
  expect(stateGeometry(float64Matrix([[Number.NaN], [1]])).maxRadius).toBeNaN();
});
