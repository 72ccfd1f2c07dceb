import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parquetOfTrials } from "../../../src/sweep/trial-parquet.js";
import { trialTable } from "../../../src/sweep/trial-table.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { sweepTrial } from "./sweep-trial.js";

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
