import { expect, test } from "vitest";
import { observation } from "../../../../src/analysis/scan/motion-scan.js";
import { memoryHistory } from "../memory-source.js";
import { observed } from "./observed.js";

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
