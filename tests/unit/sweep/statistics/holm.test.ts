import fc from "fast-check";
import { expect, test } from "vitest";
import { holm } from "../../../../src/sweep/statistics/holm.js";
import { expectedFrom } from "../../formats/reference-python.js";

/** Holm's procedure is the closed one of Bonferroni's test: a hypothesis falls when each set of hypotheses that has it falls. */
const program = `
import sys, json
from itertools import combinations
def closed(ps):
    out = []
    for i in range(len(ps)):
        others = [p for j, p in enumerate(ps) if j != i]
        sets = [[ps[i], *chosen] for k in range(len(others) + 1) for chosen in combinations(others, k)]
        out.append(max(min(1, len(s) * min(s)) for s in sets))
    return out
print(json.dumps([closed(ps) for ps in json.loads(sys.argv[1])]))
`;

test("corrected values are those of the closed test of all subsets", () => {
  const random = fc.sample(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), { seed: 5, numRuns: 60 });
  const families = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5], ...random];
  const expected = expectedFrom<number[][]>(program, JSON.stringify(families));
  for (const [at, family] of families.entries()) expect(holm(family)).toEqual((expected[at] ?? []).map((p) => expect.closeTo(p, 12)));
});

test("four values, by hand, in the order given", () => {
  // 0.005 · 4, 0.01 · 3, 0.03 · 2, and 0.04 · 1, which may not be below the 0.06 before it
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
});

test("a family of one is left as it is, and one of none is empty", () => {
  expect(holm([0.2])).toEqual([0.2]);
  expect(holm([])).toEqual([]);
});
