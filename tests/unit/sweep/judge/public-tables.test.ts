import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { judge } from "../../../../src/sweep/judge/judge.js";
import { expectedFrom } from "../../formats/reference-python.js";

const folder = "tests/tables";
const tables = readdirSync(folder).filter((name) => name.endsWith(".csv"));

/** The rows of the table in docs/judge.md: each says how an arm of a table is judged. */
const claims = [...readFileSync("docs/judge.md", "utf8").matchAll(/^\| `(\S+\.csv)` \| (\S+) \| (\S+) \((\S+)\) \| (\S+) \| (\w+) \|$/gm)].map(
  ([, table = "", control = "", measure = "", margin = "", arm = "", result = ""]) => ({ table, control, measure, margin: Number(margin), arm, result }),
);

test("every public table has a source and a verdict in the documents", () => {
  const sources = readFileSync(`${folder}/README.md`, "utf8");
  expect(tables.length).toBeGreaterThanOrEqual(10);
  for (const name of tables) {
    expect(sources).toMatch(new RegExp(`\\| \`${name}\` \\|.*https://github.com/`));
    expect(claims.map(({ table }) => table)).toContain(name);
  }
});

async function judged({ table, control, measure, margin }: (typeof claims)[number]) {
  const isLong = readFileSync(`${folder}/${table}`, "utf8").startsWith("arm,");
  const rules = { decides: [measure], ...(margin > 0 && { margin: { [measure]: margin } }) };
  return await judge(`${folder}/${table}`, { control, rules, ...(!isLong && { measures: [measure] }) });
}

test.each(claims)("$table: $arm in $measure is $result", async (claim) => {
  const { verdict, pairing } = await judged(claim);
  const arm = verdict.arms.find((each) => each.arm === claim.arm);
  expect(arm?.result, arm?.reason).toBe(claim.result);
  if (pairing === "unpaired") expect(`${arm?.evidence}`).toContain("unpaired");
});

/** Tables that scipy judges exactly, and in which one arm is compared in one measure. */
const exact = claims.filter(
  ({ table, margin }) => ["polar-express.csv", "batch-size-schedule.csv", "fused-value-embeddings.csv", "drop-mlp.csv"].includes(table) && margin === 0,
);

test("their p values are those of scipy", async () => {
  const found = await Promise.all(exact.map(judged));
  const asked = found.map(({ measures: [first] }) => [first?.control.values, first?.treatment.values]);
  const program = `
import sys, json
import numpy as np
from scipy import stats
out = []
for x, y in json.loads(sys.argv[1]):
    mean = lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis)
    sides = [
        max(
            stats.permutation_test((y, x), mean, permutation_type="independent", alternative=side, n_resamples=np.inf, vectorized=True).pvalue,
            stats.ttest_ind(y, x, equal_var=False, alternative=side).pvalue,
        )
        for side in ("less", "greater")
    ]
    out.append(min(1, 2 * min(sides)))
print(json.dumps(out))`;
  const expected = expectedFrom<number[]>(program, JSON.stringify(asked));
  expect(expected).toHaveLength(3);
  for (const [at, p] of expected.entries()) expect(found[at]?.measures[0]?.p).toBeCloseTo(p, 7);
});
