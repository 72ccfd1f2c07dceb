import fc from "fast-check";
import { expect, test } from "vitest";
import { census } from "../../../src/analysis/census/census.js";
import { censusOfRows } from "../../../src/analysis/census/census-of-rows.js";
import { motion } from "../../../src/analysis/motion/motion.js";
import { timeline } from "../../../src/analysis/timeline/timeline.js";
import { type Dtype, dtypes, itemSizes, Matrix } from "../../../src/formats/matrix.js";
import { memoryHistory, memorySource } from "./memory-source.js";

const seed = 20_260_801;

interface Case {
  readonly dtype: Dtype;
  readonly shape: readonly [number, number, number];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Histories of any bytes; rows are copied about so that many are equal. */
const histories: fc.Arbitrary<Case> = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    states: fc.integer({ min: 1, max: 5 }),
    tokens: fc.integer({ min: 1, max: 24 }),
    dims: fc.integer({ min: 1, max: 40 }),
    pool: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    choices: fc.array(fc.nat({ max: 4 }), { minLength: 120, maxLength: 120 }),
  })
  .map(({ dtype, states, tokens, dims, pool, choices }) => {
    const rowBytes = dims * itemSizes[dtype];
    const bytes = new Uint8Array(states * tokens * rowBytes);
    for (let row = 0; row < states * tokens; row++) {
      // A choice decides where in the pool a row begins: equal choices make equal rows.
      for (let index = 0; index < rowBytes; index++) bytes[row * rowBytes + index] = pool[((choices[row] ?? 0) * 7 + index) % pool.length] ?? 0;
    }
    return { dtype, shape: [states, tokens, dims] as const, bytes };
  });

test("SIMD kernels and plain TypeScript agree on any bytes", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ dtype, shape, bytes }) => {
      const history = memoryHistory(dtype, shape, bytes);
      expect(await timeline(history, { kernels: "wasm" })).toEqual(await timeline(history, { kernels: "plain" }));
      const matrix = new Matrix(dtype, [shape[0] * shape[1], shape[2]], bytes);
      expect(await censusOfRows(memorySource(matrix), undefined, { kernels: "wasm" })).toEqual(census(matrix));
    }),
    { seed, numRuns: 300 },
  );
});

test("a history played backwards swaps fissions with merges, splits with joins, escapes with captures", async () => {
  await fc.assert(
    fc.asyncProperty(histories, async ({ dtype, shape, bytes }) => {
      const stateBytes = bytes.length / shape[0];
      const states = Array.from({ length: shape[0] }, (_, state) => bytes.slice(state * stateBytes, (state + 1) * stateBytes));
      const backwards = new Uint8Array(Buffer.concat(states.reverse()));
      const there = await timeline(memoryHistory(dtype, shape, bytes));
      const back = await timeline(memoryHistory(dtype, shape, backwards));
      expect(back.merges.toReversed()).toEqual(there.fissions);
      expect(back.joins.toReversed()).toEqual(there.splits);
      expect(back.captures.toReversed()).toEqual(there.escapes);
    }),
    { seed, numRuns: 200 },
  );
});

test("a census counts every row once, and does not depend on which rows are named twice or in what order", () => {
  fc.assert(
    fc.property(histories, fc.array(fc.nat(), { maxLength: 40 }), ({ dtype, shape, bytes }, picks) => {
      const matrix = new Matrix(dtype, [shape[0] * shape[1], shape[2]], bytes);
      const rows = picks.map((pick) => pick % matrix.rows);
      const counted = census(matrix, rows);
      expect(counted).toEqual(census(matrix, [...rows, ...rows].reverse()));
      expect(counted.unique - counted.C + counted.P).toBe(counted.rows);
      expect(counted.members.flat().length).toBe(counted.P);
    }),
    { seed, numRuns: 200 },
  );
});

test("bulk and thermal motion add up to the mean square of ΔW", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 24, maxLength: 24 }), async (values) => {
      const squares: number[] = [];
      const history = memoryHistory("F32", [4, 3, 2], new Uint8Array(Float32Array.from(values).buffer));
      const { bulk, thermal } = await motion(history, {
        onStep: (_, { weight }) => squares.push(weight.L2.reduce((sum, length) => sum + length * length, 0) / 3),
      });
      for (const [index, square] of squares.entries()) expect((bulk[index] ?? 0) + (thermal[index] ?? 0)).toBeCloseTo(square, 10);
    }),
    { seed, numRuns: 200 },
  );
});
