import { expect, test } from "vitest";
import { heldOutProblem, heldOutTokens } from "../../../src/bridge/held-out.js";

test.each([
  [0, 1000, 0],
  [0.1, 1000, 100],
  [0.1, 1009, 100], // Python's int() cuts as well
  [0.999, 10, 9],
])("%d of %i tokens are %i", (fraction, tokens, heldOut) => {
  expect(heldOutTokens(fraction, tokens)).toBe(heldOut);
});

test.each([
  [0, 129], // nothing is held out
  [0.129, 1000], // exactly one window
  [0.871, 1000], // exactly one is left
])("%d of %i tokens leaves a window of 129 on both sides", (fraction, tokens) => {
  expect(heldOutProblem(fraction, tokens, 129)).toBeUndefined();
});

test.each([
  [0.128, 1000, "0.128 of 1000 tokens: what is held out has 128 tokens, and a window takes 129. Set it from 0.129 to 0.871"],
  [0.872, 1000, "0.872 of 1000 tokens: what is left to train on has 128 tokens, and a window takes 129. Set it from 0.129 to 0.871"],
  [0.5, 200, "0.5 of 200 tokens: what is held out has 100 tokens, and a window takes 129. The text is too short to hold anything out: set it to 0"],
])("%d of %i tokens does not, and what does is proposed", (fraction, tokens, problem) => {
  expect(heldOutProblem(fraction, tokens, 129)).toBe(problem);
});

test("whatever is proposed has no problem itself", () => {
  for (const tokens of [258, 259, 300, 777, 12_345, 1_000_003]) {
    const [, from, to] = /Set it from (\S+) to (\S+)$/.exec(heldOutProblem(1e-9, tokens, 129) ?? "") ?? [];
    if (from === undefined) expect(tokens).toBeLessThan(259);
    else for (const fraction of [Number(from), Number(to)]) expect(heldOutProblem(fraction, tokens, 129), `${fraction} of ${tokens}`).toBeUndefined();
  }
});
