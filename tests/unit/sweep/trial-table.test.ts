import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { csvOfTrials, trialTable } from "../../../src/sweep/trial-table.js";
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
