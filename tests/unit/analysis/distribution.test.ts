import { expect, test } from "vitest";
import { Counts } from "../../../src/analysis/distribution.js";
import { expectedFrom } from "../formats/reference-python.js";

const numbers = [7, 3, 3, 12, 0, 5, 3, 8];

test.each([numbers.length, numbers.length - 1])("%i numbers are described as numpy describes them", (count) => {
  const some = numbers.slice(0, count);
  const counts = new Counts();
  for (const value of some) counts.add(value);
  const { counts: pairs, sd, ...rest } = counts.distribution();
  const wanted = expectedFrom<{ sd: number; pairs: number[][] }>(
    `
import json, sys, numpy as np
x = np.array(json.loads(sys.argv[1]))
pairs = [[int(a) for a in pair] for pair in zip(*np.unique(x, return_counts=True))]
print(json.dumps({"sd": x.std(), "pairs": pairs, "n": len(x), "min": int(x.min()), "max": int(x.max()), "mean": x.mean(), "median": np.median(x)}))`,
    JSON.stringify(some),
  );
  expect({ ...rest, pairs }).toEqual({ ...wanted, sd: undefined, pairs: wanted.pairs });
  expect(sd).toBeCloseTo(wanted.sd, 12);
});

test("of no number there are no figures", () => {
  expect(new Counts().distribution()).toEqual({ n: 0, min: null, max: null, mean: null, sd: null, median: null, counts: [] });
});
