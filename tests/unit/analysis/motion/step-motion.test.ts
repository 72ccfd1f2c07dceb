import { describe, expect, test } from "vitest";
import { motionMeter, stepMotion } from "../../../../src/analysis/motion/step-motion.js";
import { Matrix } from "../../../../src/formats/matrix.js";
import { bfloat16Matrix, float64Matrix } from "../matrices.js";

const float32Matrix = (rows: readonly (readonly number[])[]) =>
  new Matrix("F32", [rows.length, rows[0]?.length ?? 0], new Uint8Array(Float32Array.from(rows.flat()).buffer));

test("each token has the three norms of its own step", () => {
  const before = float64Matrix([
    [1, 1],
    [5, 5],
  ]);
  const after = float64Matrix([
    [4, -3],
    [5, 5],
  ]);
  const { weight, lattice } = stepMotion(before, after);
  expect(weight).toEqual({ L1: Float64Array.of(7, 0), L2: Float64Array.of(5, 0), Linf: Float64Array.of(4, 0) });
  expect(lattice).toBeUndefined();
});

describe("the motion of all tokens together", () => {
  test("when all move alike, it is bulk alone", () => {
    const motion = stepMotion(
      float64Matrix([
        [0, 0],
        [1, 2],
      ]),
      float64Matrix([
        [3, 4],
        [4, 6],
      ]),
    );
    expect(motion).toMatchObject({ bulk: 25, thermal: 0, participation: 1 });
  });

  test("when two move apart by as much, it is thermal alone", () => {
    expect(stepMotion(float64Matrix([[0], [0]]), float64Matrix([[3], [-3]]))).toMatchObject({ bulk: 0, thermal: 9, participation: 1 });
  });

  test("when one of four moves, the participation is 1/4", () => {
    // Mean ΔW = 2, deviations 6, −2, −2, −2: (36 + 4 + 4 + 4) / 4 = 12.
    expect(stepMotion(float64Matrix([[0], [0], [0], [0]]), float64Matrix([[8], [0], [0], [0]]))).toMatchObject({ bulk: 4, thermal: 12, participation: 0.25 });
  });

  test("when none moves, all is 0", () => {
    expect(stepMotion(float64Matrix([[-0], [1]]), float64Matrix([[0], [1]]))).toMatchObject({ bulk: 0, thermal: 0, participation: 0 });
  });

  test("a small scatter beside a large common move keeps its digits", () => {
    // ΔW = 2^26 ± 2^-20: as a difference of two means of squares, 2^-40 beside 2^52 would be 0.
    const [large, small] = [2 ** 26, 2 ** -20];
    expect(stepMotion(float64Matrix([[0], [0]]), float64Matrix([[large + small], [large - small]])).thermal).toBe(small ** 2);
  });
});

describe("the lattice of bfloat16", () => {
  const [one, two] = [0x3f80, 0x4000];

  test("a move is counted in cells of where it began", () => {
    // From 1, cells are 2^-7: to 2 there are 128. Back from 2, cells are 2^-6: to 1 there are 64.
    expect(stepMotion(bfloat16Matrix([[one]]), bfloat16Matrix([[two]])).lattice?.L1).toEqual(Float64Array.of(128));
    expect(stepMotion(bfloat16Matrix([[two]]), bfloat16Matrix([[one]])).lattice?.L1).toEqual(Float64Array.of(64));
  });

  test("from 0, and among subnormals, a cell is the smallest subnormal", () => {
    const { lattice } = stepMotion(bfloat16Matrix([[0x0000, 0x8000, 0x0001]]), bfloat16Matrix([[0x0003, 0x0004, 0x0001]]));
    expect(lattice).toEqual({ L1: Float64Array.of(7), L2: Float64Array.of(5), Linf: Float64Array.of(4) });
  });

  test("a state that lies at an odd address is measured all the same", () => {
    const bytes = new Uint8Array(3);
    bytes.set(bfloat16Matrix([[one]]).bytes, 1);
    expect(stepMotion(new Matrix("BF16", [1, 1], bytes.subarray(1)), bfloat16Matrix([[one + 2]])).lattice?.Linf).toEqual(Float64Array.of(2));
  });
});

test("ΔW is rounded to float32, but for float64 weights", () => {
  // 1 − 2^-30 has no float32: the difference is rounded to 1.
  const rows = [[[2 ** -30]], [[1]]] as const;
  expect(stepMotion(float32Matrix(rows[0]), float32Matrix(rows[1])).weight.L1).toEqual(Float64Array.of(1));
  expect(stepMotion(float64Matrix(rows[0]), float64Matrix(rows[1])).weight.L1).toEqual(Float64Array.of(1 - 2 ** -30));
});

test("NaN on either side makes the norms of its own token NaN, and those of no other", () => {
  const rows = (value: number) =>
    float64Matrix([
      [value, 1],
      [0, 0],
    ]);
  for (const [before, after] of [
    [Number.NaN, 1],
    [1, Number.NaN],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ] as const) {
    const { weight } = stepMotion(rows(before), rows(after));
    for (const norm of Object.values(weight)) expect(norm).toEqual(Float64Array.of(Number.NaN, 0));
  }
});

test("a meter measures step after step, and nothing of one is in the next", () => {
  const measure = motionMeter({ tokens: 2, dims: 1, isFloat64: true });
  const states = [Float64Array.of(0, 0), Float64Array.of(4, 2), Float64Array.of(4, 3)];
  const [first, second, third] = states as [Float64Array, Float64Array, Float64Array];
  expect(measure({ previous: first, current: second })).toMatchObject({ bulk: 9, thermal: 1 });
  const { weight, bulk, thermal, participation } = measure({ previous: second, current: third });
  expect(weight.L2).toEqual(Float64Array.of(0, 1));
  expect({ bulk, thermal, participation }).toEqual({ bulk: 0.25, thermal: 0.25, participation: 0.5 });
});

test("what is no matrix is refused with its name", () => {
  expect(() => stepMotion(float64Matrix([[1]]), undefined as never)).toThrow(
    expect.objectContaining({ code: "USAGE", message: expect.stringContaining("current") }),
  );
});
