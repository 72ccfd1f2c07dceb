import { expect, test } from "vitest";
import { chunkCount } from "../../../src/bridge/corpus.js";

// Of 12 tokens: 0..3, 4..7, 8..11. With a label beyond the last input the third would need a token 12.
test.each([
  [12, "causal", 3],
  [12, "double", 2],
  [13, "double", 3],
  [3, "causal", 0],
] as const)("%i tokens in chunks of 4 with %s labels are %i windows", (tokens, labels, windows) => {
  expect(chunkCount(tokens, 4, labels)).toBe(windows);
});
