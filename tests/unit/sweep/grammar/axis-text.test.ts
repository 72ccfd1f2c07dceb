import { expect, test } from "vitest";
import type { ConfigIssue } from "../../../../src/errors.js";
import { parseAxisText, parseSeedsText } from "../../../../src/sweep/grammar/axis-text.js";

test.each([
  ["a.b=1e-3,3e-4", [1e-3, 3e-4]],
  ["a.b=rmsnorm, layernorm", ["rmsnorm", "layernorm"]],
  ["a.b=5", [5]],
  ["a.b=1..9", "1..9"],
  ["a.b=logspace:1e-6,1e-3,7", { logspace: [1e-6, 1e-3, 7] }],
  ["a.b=linspace:0,1,5", { linspace: [0, 1, 5] }],
  ['a.b={"logspace":[1,10,2]}', { logspace: [1, 10, 2] }],
  ["a.b=[1,null]", [1, null]],
])("%s", (text, values) => {
  expect(parseAxisText(text, "--grid", [])).toEqual({ path: "a.b", values });
});

test.each(["a.b", "=1", "a..b=1", "a.b="])("%s is told to be no axis", (text) => {
  const issues: ConfigIssue[] = [];
  expect(parseAxisText(text, "--zip", issues)).toBeUndefined();
  expect(issues).toEqual([{ path: text, message: "is not path=values, for example training.learning_rate=1e-3,3e-4", source: "--zip" }]);
});

test.each([
  ["42..51", "42..51"],
  ["1,2,5", [1, 2, 5]],
  ["7", 7],
])("seeds %s", (text, seeds) => {
  expect(parseSeedsText(text)).toEqual(seeds);
});
