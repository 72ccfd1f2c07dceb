import { expect, test } from "vitest";
import { verdict } from "../../../src/analysis/verdict.js";

test.each([
  { C: 1, P: 51, result: "null", reason: "1 black hole of 51 tokens: no split, and no dead token left it (51 dead tokens)" },
  { C: 1, P: 60, result: "null", reason: "1 black hole of 60 tokens: no split, and no dead token left it (51 dead tokens)" },
  { C: 2, P: 51, result: "positive", reason: "2 black holes where one was expected (P = 51, 51 dead tokens)" },
  { C: 1, P: 50, result: "positive", reason: "50 of 51 dead tokens are in a black hole (C = 1)" },
  { C: 0, P: 0, result: "positive", reason: "0 of 51 dead tokens are in a black hole (C = 0)" },
])("C = $C and P = $P among 51 dead tokens is $result", ({ C, P, result, reason }) => {
  expect(verdict({ census: { C, P }, deadTokens: 51, degenerate: [] })).toEqual({ result, reason });
});

test("a degenerate history is named and not scored, whatever its counts", () => {
  const frozen = verdict({ census: { C: 1, P: 51 }, deadTokens: 51, degenerate: ["all-zero", "never-moved"] });
  expect(frozen).toEqual({ result: "degenerate", reason: "not scored: every weight is 0 in every state; no weight changed in any step" });
  expect(verdict({ census: { C: 5, P: 10 }, deadTokens: 51, degenerate: ["nothing-finite"] }).result).toBe("degenerate");
});
