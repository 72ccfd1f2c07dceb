import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { type JudgeOptions, judge, judgementDocumentSchema } from "../../../../src/sweep/judge/judge.js";
import { temporaryFolder } from "../../../e2e/program.js";

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const noise = [0.02, -0.05, 0.04, 0.01, -0.03, 0.05, -0.02, 0.03, -0.04, 0];
const small = [0.001, 0.003, -0.002, 0.004, -0.001, 0.002, -0.003, 0, 0.005, -0.004];
const rows = seeds.flatMap((seed, at) => [
  { arm: "base", seed, loss: 3 + (noise[at] ?? 0) },
  { arm: "new", seed, loss: 2.8 + (noise[at] ?? 0) + (small[at] ?? 0) },
]);
const csv = ["arm,seed,loss", ...rows.map(({ arm, seed, loss }) => `${arm},${seed},${loss}`)].join("\n");

/** The problems with which a table is refused. */
async function problemsOf(table: Parameters<typeof judge>[0], options: Partial<JudgeOptions> = {}): Promise<string[]> {
  const error: unknown = await judge(table, { control: "base", ...options }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  return (error as { issues: { path: string; message: string }[] }).issues.map(({ path, message }) => `${path}: ${message}`);
}

test("every format gives the same judgement", async () => {
  using folder = temporaryFolder();
  const columns = (["arm", "seed", "loss"] as const).map((name) => ({
    name,
    data: rows.map((row) => row[name]),
    type: name === "arm" ? ("STRING" as const) : name === "seed" ? ("INT32" as const) : ("DOUBLE" as const),
  }));
  const files: Record<string, string | Uint8Array> = {
    "t.csv": csv,
    "crlf.csv": `\uFEFF${csv.replaceAll("\n", "\r\n")}\r\n\r\n`,
    "t.csv.gz": gzipSync(csv),
    "t.tsv": csv.replaceAll(",", "\t"),
    "t.json": JSON.stringify(rows),
    "columns.json": JSON.stringify({ arm: rows.map(({ arm }) => arm), seed: rows.map(({ seed }) => seed), loss: rows.map(({ loss }) => loss) }),
    "t.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
    "t.parquet": new Uint8Array(parquetWriteBuffer({ columnData: columns })),
    "wide.csv": ["seed,base,new", ...seeds.map((seed, at) => `${seed},${rows[2 * at]?.loss},${rows[2 * at + 1]?.loss}`)].join("\n"),
  };
  const expected = await judge(rows, { control: "base" });
  expect(judgementDocumentSchema.parse(JSON.parse(JSON.stringify(expected)))).toMatchObject({
    verdict: { result: "positive" },
    pairing: "paired",
    arms: ["new"],
  });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    const found = await judge(path, { control: "base", ...(name === "wide.csv" && { measures: ["loss"] }) });
    expect(found.measures, name).toEqual(expected.measures);
    expect(found.verdict.result, name).toBe("positive");
  }
});

test("a table is refused with all its problems and their lines", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "bad.csv");
  writeFileSync(path, 'arm,seed,loss\nbase,1,3.0\nbase,1,3.1\nnew,1,"about 3"\nnew,2,2.9\n');
  expect(await problemsOf(path)).toEqual([
    "line 3: repeats seed 1 of arm base, as in line 2: two rows of one seed are one run. Keep one, or give their mean",
    "arm base: lacks seed 2, which new has. Add the rows, remove those of new, or judge without pairs (--unpaired)",
    'line 4: loss is "about 3", expected a number. Correct it, or name the measures without loss (--measure)',
  ]);
  writeFileSync(path, "arm,seed,loss\nbase,1\n");
  expect(await problemsOf(path)).toEqual(["line 2: has 2 fields, the first line has 3. Quote fields that contain separators"]);
});

test("a missing control, column, arm or deciding measure is refused", async () => {
  expect(await problemsOf(rows, { control: "bse" })).toEqual(['control: there is no arm "bse": did you mean "base"? the arms are base, new']);
  expect(await problemsOf(rows, { arm: "arms" })).toEqual([
    'arms: there is no such column: did you mean "arm"? the columns are arm, seed, loss. Name one with --arm',
  ]);
  expect(await problemsOf(rows.filter(({ arm }) => arm === "base"))).toEqual(["arms: there is only the arm base: another arm is needed to compare it with"]);
  expect(await problemsOf(rows, { rules: { decides: ["los"], margin: { accuracy: 1 } } })).toEqual([
    'decides: there is no column "los": did you mean "loss"? the columns are loss',
    "margin.accuracy: accuracy is not a deciding measure: a margin applies to one of los",
  ]);
  expect(await problemsOf(rows, { rules: { test: "median" }, unpaired: true })).toHaveLength(1);
});

test("one seed is an observation, and a margin gives null from nine pairs", async () => {
  const one = await judge(rows.slice(0, 2), { control: "base" });
  expect(one.verdict).toMatchObject({
    result: "inconclusive",
    reason: "One seed has no spread: an observation, no comparison. Differences: loss −0.199 (seed 1)",
  });
  const wide = { decides: ["loss"], margin: { loss: 0.5 } };
  expect((await judge(rows, { control: "base", rules: wide })).verdict).toMatchObject({ result: "null", reason: "loss differs by less than 0.5 (10 pairs)" });
  expect((await judge(rows.slice(0, 16), { control: "base", rules: wide })).verdict.arms[0]).toMatchObject({
    result: "inconclusive",
    missing: "9 seeds to rule one out; has 8",
  });
});

test("a table without seeds is judged unpaired and says so", async () => {
  const found = await judge(
    rows.map(({ arm, loss }) => ({ arm, loss })),
    { control: "base" },
  );
  expect(found).toMatchObject({ pairing: "unpaired", seeds: [], verdict: { result: "positive" } });
  expect(found.verdict.reason).toContain("10 against 10 runs, unpaired");
  expect(found.measures[0]?.test).toBe("permutation and Welch");
});

test("columns of 0 and 1 are compared by McNemar's or Fisher's exact test", async () => {
  const scores = seeds.flatMap((seed) => [
    { arm: "base", seed, score: false },
    { arm: "new", seed, score: seed < 9 },
  ]);
  const paired = await judge(scores, { control: "base" });
  // 8 of 8 discordant pairs in one direction: 2 / 2^8
  expect(paired.measures[0]).toMatchObject({ test: "McNemar", p: 2 / 256, discordant: { onlyControl: 0, onlyTreatment: 8 } });
  expect(paired.verdict.reason).toBe("new has score in 8 of 10 runs, base in 0 of 10; corrected p = 0.0078");
  // C(10, 8) / C(20, 8) in one direction
  expect((await judge(scores, { control: "base", unpaired: true })).measures[0]?.p).toBeCloseTo((2 * 45) / 125970, 12);
  expect(await problemsOf(scores, { rules: { decides: ["score"], margin: { score: 0.1 } } })).toHaveLength(1);
});

test("several measures and arms are corrected together", async () => {
  const three = rows.flatMap((row) => [{ ...row, steps: row.seed }, ...(row.arm === "base" ? [{ ...row, arm: "same", steps: row.seed }] : [])]);
  const { verdict, measures } = await judge(three, { control: "base" });
  expect(verdict.notes?.[0]).toBe("No deciding measure was fixed in advance: all 2 columns of numbers decide (loss, steps), corrected for their number");
  expect(verdict.arms.map(({ arm, result }) => `${arm} ${result}`)).toEqual(["same null", "new positive"]);
  const loss = measures.find(({ arm, measure }) => arm === "new" && measure === "loss");
  expect(loss?.holm).toBeCloseTo(4 * (loss?.p ?? 0), 12);
});

test("a run without a value counts against a difference, and an arm without any is degenerate", async () => {
  const lacking = rows.map((row) => (row.seed > 4 && row.arm === "new" ? { ...row, loss: Number.NaN } : row));
  const { verdict } = await judge(lacking, { control: "base" });
  expect(verdict.result).toBe("inconclusive");
  expect(verdict.reason).toContain("6 pairs of new and base have no loss");
  const none = await judge(
    rows.map((row) => (row.arm === "new" ? { ...row, loss: null } : row)),
    { control: "base" },
  );
  expect(none.verdict).toMatchObject({ result: "degenerate", reason: "no row of new has a value of loss" });
});

test("sequential rules stop at the deciding pair, in the order of the seeds", async () => {
  const rules = { decides: ["loss"], sequential: true };
  const { verdict, sequential } = await judge(rows.toReversed(), { control: "base", rules });
  // Ten pairs that nearly agree: e of n equal pairs is 20.1 after six (statistics.md, section 7).
  expect(sequential?.arms[0]).toMatchObject({ state: "decided", result: "positive", decidedAt: 6 });
  expect(verdict.reason).toMatch(/^new is below base in loss by 0\.\d+ \(95 % interval .*, after 6 of 40 pairs\); e = 20, 20 needed$/);
  const early = await judge(rows.slice(0, 10), { control: "base", rules });
  expect(early.verdict.arms[0]).toMatchObject({ result: "inconclusive", missing: "up to 35 more pairs" });
  expect(await problemsOf(rows, { rules, unpaired: true })).toEqual([
    "rules.sequential: judging after every pair needs pairs. Name the column of seeds with --seed, or set sequential: false",
  ]);
});
