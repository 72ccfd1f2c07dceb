import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { appliedRules, rulesHash, rulesSchema } from "../../../../src/sweep/experiment/rules.js";

const applied = (rules: unknown) => appliedRules(rulesSchema.parse(rules));
const problems = (rules: unknown) => rulesSchema.safeParse(rules).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);

test("what is left out is filled in as it will be applied", () => {
  expect(applied({})).toEqual({ score: "notebook", decides: ["score", "deadC"], margin: { score: 0, deadC: 0.5 }, alpha: 0.05 });
  expect(applied({ decides: ["P"] })).toEqual({ score: "notebook", decides: ["P"], margin: { P: 0 }, alpha: 0.05 });
  expect(applied({ margin: { deadC: 2 } })).toMatchObject({ margin: { score: 0, deadC: 2 } });
});

test("a measure that there is not, one named twice and a margin of none are refused", () => {
  expect(problems({ decides: ["dedaC"] })?.[0]).toContain('did you mean "deadC"?');
  expect(problems({ decides: ["C", "C"] })?.[0]).toContain('names "C" twice');
  expect(problems({ decides: ["C"], margin: { P: 1 } })).toEqual(["margin.P: P decides nothing: a margin belongs to one of C"]);
  expect(problems({ alpha: 0 })).toHaveLength(1);
  expect(problems({ decide: ["C"] })?.[0]).toContain("decide");
});

test("the hash is SHA-256 of the applied rules, and tells other rules apart", () => {
  const text = '{"score":"notebook","decides":["score","deadC"],"margin":[0,0.5],"alpha":0.05}';
  expect(rulesHash(applied({}))).toBe(createHash("sha256").update(text).digest("hex"));
  expect(rulesHash(applied({ alpha: 0.01 }))).not.toBe(rulesHash(applied({})));
  expect(rulesHash(applied({ margin: { score: 0, deadC: 0.5 }, decides: ["score", "deadC"] }))).toBe(rulesHash(applied({})));
});
