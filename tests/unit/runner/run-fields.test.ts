import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { fieldOf, type ListedRun, requireField, runFieldNames } from "../../../src/runner/run-fields.js";

const run: ListedRun = {
  row: {
    run: "/runs/2026-a",
    name: "a",
    status: "completed",
    reason: null,
    preset: "quick",
    seed: 7,
    created: "2026-11-25T09:00:00Z",
    ended: null,
    seconds: 2.5,
    steps: { planned: 10, done: 4 },
    loss: null,
    finite: false,
    C: 1,
    P: 51,
    configHash: "0123456789abcdef",
    tags: ["x"],
    note: null,
    pid: null,
    problem: null,
  },
  config: parseRunConfig({ seed: 7, training: { learning_rate: 3e-4 }, record: { rows: [1, 2] } }),
};

test.each([
  ["run", "2026-a"],
  ["steps", 4],
  ["planned", 10],
  ["finite", "no"],
  ["hash", "01234567"],
  ["tags", ["x"]],
  ["loss", null],
  ["training.learning_rate", 3e-4],
  ["record.rows", "[1,2]"],
  ["threads", null],
  ["training.seed", 7],
  ["training.run_name", "a"],
  ["no.such.field", null],
])("the field %s is %j", (name, value) => {
  expect(fieldOf(run, name)).toEqual(value);
});

test("what every object inherits is no field", () => {
  expect(fieldOf(run, "constructor")).toBeNull();
  expect(() => requireField("toString", [run])).toThrow("runs have no field");
});

test("a misspelt field is refused with the nearest, from the run's own or from its configuration", () => {
  expect(() => requireField("stauts", [run])).toThrow(/did you mean status\?/);
  expect(() => requireField("training.learning_rat", [run])).toThrow(/did you mean training\.learning_rate\?/);
  for (const name of [...runFieldNames, "training.learning_rate", "training.seed"]) expect(() => requireField(name, [run])).not.toThrow();
});

test("without a readable configuration any path may be there", () => {
  expect(() => requireField("training.learning_rat", [{ ...run, config: undefined }])).not.toThrow();
});
