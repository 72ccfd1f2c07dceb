import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { csvOfTrials, parquetOfTrials, trialTable } from "../../../src/sweep/trial-table.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { sweepTrial } from "./sweep-trial.js";

const unset = () => undefined;
const trials = [
  sweepTrial({ "init.sigma": 1e-5, seed: 1 }, 2.5),
  sweepTrial({ "model.norm": "layernorm", "record.rows": [1, 2], seed: 2 }, null, {
    status: "failed",
    reason: 'it said "no",\nand ended',
    result: null,
    run: null,
  }),
];

test("a row a trial, with a column for each field that some trial sets", () => {
  const { head, rows } = trialTable(trials, unset);
  const numbers = ["steps", "seconds", "finite", "finalLoss", "C", "P", "unique", "displacement", "verdict"];
  expect(head).toEqual(["trial", "status", "init.sigma", "seed", "model.norm", "record.rows", ...numbers, "run", "reason"]);
  expect(rows[0]?.slice(1)).toEqual(["completed", 1e-5, 1, null, null, 10, 1, true, 2.5, 1, 29, 100, 0.5, "null result", "/runs/x", null]);
});

test("as CSV, quotes and lines in a field stay in it, and what is not there is empty", () => {
  const [head, first, ...rest] = csvOfTrials(trialTable(trials, unset)).split("\n");
  expect(head).toMatch(/^trial,status,init\.sigma,seed,/);
  expect(first).toBe('"{""init.sigma"":0.00001,""seed"":1}",completed,0.00001,1,,,10,1,true,2.5,1,29,100,0.5,null result,/runs/x,');
  expect(rest.join("\n")).toMatch(/,failed,,2,layernorm,"\[1,2\]",,,,,,,,,,,"it said ""no"",\nand ended"\n$/);
});

test("the runs of an experiment have a column for their arm, and a field that one arm sets has its value in the other", () => {
  const runs = [sweepTrial({ "model.norm": "layernorm", seed: 1 }, 2.5, { arm: "layernorm" }), sweepTrial({ seed: 1 }, 2, { arm: "rmsnorm" })];
  const { head, rows } = trialTable(runs, (set, path) => (path === "model.norm" && set["seed"] === 1 ? "rmsnorm" : undefined));
  expect(head.slice(0, 5)).toEqual(["trial", "arm", "status", "model.norm", "seed"]);
  expect(rows.map((row) => row.slice(1, 5))).toEqual([
    ["layernorm", "completed", "layernorm", 1],
    ["rmsnorm", "completed", "rmsnorm", 1],
  ]);
});

test("pandas and DuckDB read every verdict of the CSV as a word", () => {
  const verdicts = (["positive", "null", "degenerate"] as const).map((result, seed) => {
    const trial = sweepTrial({ seed }, 1);
    return { ...trial, result: trial.result && { ...trial.result, verdict: { result, reason: "" } } };
  });
  const path = join(temporaryDirectory(), "trials.csv");
  writeFileSync(path, csvOfTrials(trialTable(verdicts, unset)));
  const program = `
import csv, json, sys
import duckdb
# the default na_values of pandas.read_csv, from its documentation
missing = " |#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|") + [""]
read = duckdb.sql(f"select verdict from read_csv('{sys.argv[1]}')").fetchall()
print(json.dumps({"duckdb": [row[0] for row in read], "missing": [row["verdict"] for row in csv.DictReader(open(sys.argv[1])) if row["verdict"] in missing]}))
`;
  expect(expectedFrom(program, path)).toEqual({ duckdb: ["positive", "null result", "degenerate"], missing: [] });
});

const program = `
import json, sys
import duckdb
table = duckdb.sql(f"select * from read_parquet('{sys.argv[1]}')")
print(json.dumps({"types": dict(zip(table.columns, map(str, table.types))), "rows": table.fetchall()}))
`;

const readBack = (trials: ReturnType<typeof sweepTrial>[]) => {
  const path = join(temporaryDirectory(), "trials.parquet");
  writeFileSync(path, parquetOfTrials(trialTable(trials, () => undefined)));
  return expectedFrom<{ types: Record<string, string>; rows: unknown[][] }>(program, path);
};

test("another reader finds each column with its type, and the numbers as they were", () => {
  const { types, rows } = readBack([
    sweepTrial({ "init.sigma": 1e-5, seed: 2 ** 40, "training.bf16": true, "model.norm": "layernorm" }, 2.5),
    sweepTrial({ "init.sigma": 0.1, seed: 2, "record.rows": [1, 2] }, null, { status: "failed", reason: 'it said "né",\nand ended', result: null, run: null }),
    sweepTrial({ "record.rows": "all" }, 3),
  ]);
  expect(types).toEqual({
    ...{ trial: "VARCHAR", status: "VARCHAR", "init.sigma": "DOUBLE", seed: "BIGINT", "training.bf16": "BOOLEAN", "model.norm": "VARCHAR" },
    ...{ "record.rows": "VARCHAR", steps: "BIGINT", seconds: "DOUBLE", finite: "BOOLEAN", finalLoss: "DOUBLE", C: "BIGINT", P: "BIGINT" },
    ...{ unique: "BIGINT", displacement: "DOUBLE", verdict: "VARCHAR", run: "VARCHAR", reason: "VARCHAR" },
  });
  expect(rows.map((row) => row.slice(1))).toEqual([
    ["completed", 1e-5, 2 ** 40, true, "layernorm", null, 10, 1, true, 2.5, 1, 29, 100, 0.5, "null result", "/runs/x", null],
    ["failed", 0.1, 2, null, null, "[1,2]", null, null, null, null, null, null, null, null, null, null, 'it said "né",\nand ended'],
    ["completed", null, null, null, null, "all", 10, 1, true, 3, 1, 29, 100, 0.5, "null result", "/runs/x", null],
  ]);
});

test("a table of no trials, and one of more than a row group, are read as well", () => {
  expect(readBack([]).rows).toEqual([]);
  const many = Array.from({ length: 2500 }, (_, seed) => sweepTrial({ seed }, seed / 3));
  const { rows, types } = readBack(many);
  const column = Object.keys(types).indexOf("finalLoss");
  expect(rows.map((row) => row[column])).toEqual(many.map(({ result }) => result?.finalLoss));
});
