import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  appliedRules,
  minPairsForNull,
  minPairsForPositive,
  rulesFromStored,
  rulesHash,
  rulesSchema,
  storedRules,
} from "../../../../src/sweep/experiment/rules.js";

const applied = (rules: unknown) => appliedRules(rulesSchema.parse(rules));
const problems = (rules: unknown) => rulesSchema.safeParse(rules).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);

test("what is left out is filled in as it will be applied", () => {
  expect(applied({})).toEqual({
    score: "notebook",
    decides: ["score", "deadC"],
    margin: { score: 0, deadC: 0.5 },
    alpha: 0.05,
    nullBelow: 0.3,
    test: "mean",
    sequential: false,
  });
  expect(applied({ decides: ["P"] })).toMatchObject({ decides: ["P"], margin: { P: 0 } });
  expect(applied({ margin: { deadC: 2 } })).toMatchObject({ margin: { score: 0, deadC: 2 } });
});

test("a measure that there is not, one named twice and a margin of none are refused", () => {
  expect(problems({ decides: ["dedaC"] })?.[0]).toContain('did you mean "deadC"?');
  expect(problems({ decides: ["C", "C"] })?.[0]).toContain('names "C" twice');
  expect(problems({ decides: ["C"], margin: { P: 1 } })).toEqual(["margin.P: P is not a deciding measure: a margin applies to one of C"]);
  for (const alpha of [0, 0.21, 1]) expect(problems({ alpha })).toHaveLength(1);
  for (const nullBelow of [0, 1]) expect(problems({ nullBelow })).toHaveLength(1);
  expect(problems({ test: "mode" })).toHaveLength(1);
  expect(problems({ margin: { score: 0 } })).toBeUndefined();
  expect(problems({ margin: { score: 0.1 } })?.[0]).toMatch(/^margin\.score: score is 0 or 1 and has no margin\. Remove it, and set nullBelow/);
  expect(problems({ decide: ["C"] })?.[0]).toContain("decide");
});

test("the hash is SHA-256 of the applied rules, and tells other rules apart", () => {
  const text = '{"score":"notebook","decides":["score","deadC"],"margin":[0,0.5],"alpha":0.05}';
  expect(rulesHash(applied({}))).toBe(createHash("sha256").update(text).digest("hex"));
  const others = '{"score":"notebook","decides":["deadC"],"margin":[0.5],"alpha":0.05,"nullBelow":0.2,"test":"median"}';
  expect(rulesHash(applied({ decides: ["deadC"], nullBelow: 0.2, test: "median" }))).toBe(createHash("sha256").update(others).digest("hex"));
  expect(rulesHash(applied({ alpha: 0.01 }))).not.toBe(rulesHash(applied({})));
  expect(rulesHash(applied({ margin: { score: 0, deadC: 0.5 }, decides: ["score", "deadC"] }))).toBe(rulesHash(applied({})));
});

test("stored rules are those of earlier versions where the newer fields have their defaults, and come back whole", () => {
  expect(JSON.stringify(storedRules(applied({})))).toBe('{"score":"notebook","decides":["score","deadC"],"margin":{"score":0,"deadC":0.5},"alpha":0.05}');
  for (const rules of [{}, { nullBelow: 0.1 }, { test: "median" }]) expect(rulesFromStored(storedRules(applied(rules)))).toEqual(applied(rules));
});

test("the least numbers of pairs are those of the published table", () => {
  expect([1, 2, 3, 4, 6, 8].map((tests) => minPairsForPositive(applied({}), tests))).toEqual([6, 7, 7, 8, 8, 9]);
  const least = (nullBelow: number, alpha = 0.05) => minPairsForNull(applied({ nullBelow, alpha }));
  // 0.7^9 = 0.040, 0.5^5 = 0.031, 0.9^29 = 0.047, 0.5^3 = 0.125: exactly alpha is enough
  expect([least(0.3), least(0.5), least(0.1), least(0.5, 0.125)]).toEqual([9, 5, 29, 3]);
});
