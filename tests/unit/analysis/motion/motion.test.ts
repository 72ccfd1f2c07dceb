import { expect, test } from "vitest";
import { motion, motionOf, observation } from "../../../../src/analysis/motion/motion.js";
import { stepMotion } from "../../../../src/analysis/motion/step-motion.js";
import { readState } from "../../../../src/formats/history.js";
import { memoryHistory } from "../memory-source.js";
import { observed } from "../scan/observed.js";

const one = 0x3f80;
/** Three bfloat16 tokens of two dims. A cell at 1 is 1/128: token 0 moves (3, 4) cells in step 1 and back in step 3, token 1 one cell in step 2. */
const states = [
  [one, one, one, one, 0, 0],
  [one + 3, one + 4, one, one, 0, 0],
  [one + 3, one + 4, one + 1, one, 0, 0],
  [one, one, one + 1, one, 0, 0],
];
const history = memoryHistory("BF16", [4, 3, 2], new Uint8Array(Uint16Array.from(states.flat()).buffer));

test("norms are over tokens, in weights and in cells; a token's last step is kept", () => {
  const { weight, lattice, stillFraction, lastChange, lastMotion, bulk } = observed(observation, history, 0, 4);
  expect(weight.meanL2).toEqual(Float64Array.of(5 / 128 / 3, 1 / 128 / 3, 5 / 128 / 3));
  expect(weight.maxL1).toEqual(Float64Array.of(7 / 128, 1 / 128, 7 / 128));
  expect(lattice.maxL2).toEqual(Float64Array.of(5, 1, 5));
  expect(lattice.meanLinf).toEqual(Float64Array.of(4 / 3, 1 / 3, 4 / 3));
  expect(stillFraction).toEqual(Float64Array.of(2 / 3, 2 / 3, 2 / 3));
  expect(lastChange).toEqual(Int32Array.of(3, 2, 0));
  expect(lastMotion).toEqual(Int32Array.of(3, 2, 0));
  // The mean step is a third of (1/128, 0): its square is 1/(128·3)².
  expect(bulk[1]).toBeCloseTo(1 / 384 ** 2, 18);
});

test("ranges that follow each other tell what one tells, wherever the cut is", () => {
  for (const cut of [1, 2, 3]) {
    expect(observation.merge(observed(observation, history, 0, cut), observed(observation, history, cut, 4))).toEqual(observed(observation, history, 0, 4));
  }
});

const nan = Number.NaN;
const bfloat16History = (...states: number[][]) =>
  memoryHistory("BF16", [states.length, states[0]?.length ?? 0, 1], new Uint8Array(Uint16Array.from(states.flat()).buffer));
const float64History = (...states: number[][]) =>
  memoryHistory("F64", [states.length, states[0]?.length ?? 0, 1], new Uint8Array(Float64Array.from(states.flat()).buffer));

test("a token is frozen from its last change on, and still in any step without one", async () => {
  // Token 0 moves in steps 1 and 3, token 1 in step 1 alone, token 2 never.
  const { stillFraction, frozenFraction } = await motion(float64History([0, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0]));
  expect(stillFraction).toEqual([1 / 3, 1, 2 / 3, 1]);
  expect(frozenFraction).toEqual([1 / 3, 2 / 3, 2 / 3, 1]);
});

test("in bfloat16 each token has the last step in which it moved on the lattice, null for none", async () => {
  const { lattice, lastMotionStep } = await motion(bfloat16History([one, one], [one + 2, one], [one + 2, one]));
  expect(lattice?.maxL2).toEqual([2, 0]);
  expect(lastMotionStep).toEqual([1, null]);
});

test("NaN on either side is a change, but no motion on the lattice", async () => {
  const { lastMotionStep, frozenFraction, weight } = await motion(bfloat16History([one], [one + 1], [0x7fc0], [one]));
  expect(lastMotionStep).toEqual([1]);
  expect(frozenFraction).toEqual([0, 0, 0]);
  expect(weight.meanL2).toEqual([1 / 128, nan, nan]);
});

test("another dtype has no lattice", async () => {
  const found = await motion(float64History([0], [1]));
  expect(found).not.toHaveProperty("lattice");
  expect(found).not.toHaveProperty("lastMotionStep");
});

test("a history of one state has no step", async () => {
  const { weight, stillFraction, lastMotionStep } = await motion(bfloat16History([one, one]));
  expect([weight.meanL1, stillFraction, lastMotionStep]).toEqual([[], [], [null, null]]);
});

test("a listener is told each step's norms of every token, in order", async () => {
  const steps: number[] = [];
  const short = memoryHistory("F32", [4, 2, 3], new Uint8Array(Float32Array.from({ length: 24 }, (_, index) => index * index).buffer));
  await motion(short, {
    onStep(step, { weight }) {
      steps.push(step);
      const alone = stepMotion(readState(short, step - 1), readState(short, step));
      expect(weight).toEqual(alone.weight);
      // (n + 6)² − n² = 12n + 36 for n = 6·(step − 1) and on, three to a token.
      const first = 6 * (step - 1);
      expect([...weight.L1]).toEqual([3 * (12 * first + 36) + 36, 3 * (12 * first + 36) + 36 * 4]);
    },
  });
  expect(steps).toEqual([1, 2, 3]);
});

test("an empty history is refused", async () => {
  await expect(motion(memoryHistory("F32", [0, 2, 2], new Uint8Array()))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});

test("what scans of a history found is the motion, in numbers that JSON can hold", () => {
  const history = bfloat16History([one, 0], [one + 1, 0]);
  const found = motionOf(observed(observation, history, 0, 2), true);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  expect(found).toMatchObject({ weight: { meanL2: [1 / 256] }, lattice: { meanL2: [0.5] }, participation: [0.5], lastMotionStep: [1, null] });
});
