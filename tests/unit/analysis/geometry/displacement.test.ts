import { expect, test } from "vitest";
import { centroidNorm, displacement } from "../../../../src/analysis/geometry/centroid.js";
import { openCheckpoint } from "../../../../src/runs/open-run-directory.js";
import { differences } from "../differences.js";
import { oracleCases } from "../oracle.js";

interface Expected {
  readonly bfloat16: number;
  readonly float64: number;
  readonly centroidNorm: number;
}

const { cases, file } = oracleCases<Expected>("displacements", 11, 200);

test("the displacement in bfloat16 is torch's to the bit, the one in float64 to its last digits", async () => {
  for (const [index, expected] of cases.entries()) {
    await using checkpoint = await openCheckpoint(file(index));
    const [first, last] = [await checkpoint.matrix("first"), await checkpoint.matrix("last")];
    const moved = displacement(first, last);
    expect(moved.bfloat16, file(index)).toBe(expected.bfloat16);
    expect(moved.float32).toBe(Math.fround(moved.float64));
    expect(differences(moved.float64, expected.float64, 1e-9)).toEqual([]);
    expect(differences(centroidNorm(first), expected.centroidNorm, 1e-12)).toEqual([]);
  }
});
