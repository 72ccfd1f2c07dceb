import { expect, test } from "vitest";
import { csvOfTrials, trialTable } from "../../../src/sweep/trial-table.js";
import { sweepTrial } from "./sweep-trial.js";

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
  const { head, rows } = trialTable(trials);
  const numbers = ["steps", "seconds", "finite", "finalLoss", "C", "P", "unique", "displacement", "verdict"];
  expect(head).toEqual(["trial", "status", "init.sigma", "seed", "model.norm", "record.rows", ...numbers, "run", "reason"]);
  expect(rows[0]?.slice(1)).toEqual(["completed", 1e-5, 1, null, null, 10, 1, true, 2.5, 1, 29, 100, 0.5, "null", "/runs/x", null]);
});

test("as CSV, quotes and lines in a field stay in it, and what is not there is empty", () => {
  const [head, first, ...rest] = csvOfTrials(trials).split("\n");
  expect(head).toMatch(/^trial,status,init\.sigma,seed,/);
  expect(first).toBe('"{""init.sigma"":0.00001,""seed"":1}",completed,0.00001,1,,,10,1,true,2.5,1,29,100,0.5,null,/runs/x,');
  expect(rest.join("\n")).toMatch(/,failed,,2,layernorm,"\[1,2\]",,,,,,,,,,,"it said ""no"",\nand ended"\n$/);
});
