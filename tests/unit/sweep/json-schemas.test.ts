import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { experimentPresets } from "../../../src/sweep/experiment/load-experiment.js";
import { experimentJsonSchema, rulesJsonSchema, sweepJsonSchema } from "../../../src/sweep/json-schemas.js";
import { expectedFrom } from "../formats/reference-python.js";

const program = `
import sys, json
from jsonschema import Draft202012Validator
validator = Draft202012Validator(json.load(open("schemas/experiment.schema.json")))
print(json.dumps([sorted(".".join(map(str, error.absolute_path)) for error in validator.iter_errors(case)) for case in json.loads(sys.argv[1])]))
`;
const problems = (cases: unknown): string[][] => expectedFrom(program, JSON.stringify(cases));

test("the schema that ships is the one that the code gives", () => {
  expect(JSON.parse(readFileSync("schemas/experiment.schema.json", "utf8"))).toEqual(experimentJsonSchema());
});

test("every experiment that ships keeps to it, and so does a field by its dotted path", () => {
  const dotted = { base: "quick", arms: { a: {}, b: { "model.norm": "layernorm" } }, seeds: [1, 2] };
  expect(problems([...Object.values(experimentPresets).map(({ experiment }) => experiment), dotted]).flat()).toEqual([]);
});

test("an editor is told of a wrong value in an arm, of one arm alone and of a misspelt field", () => {
  const arms = { a: {}, b: {} };
  expect(problems([{ arms: { a: {}, b: { model: { norm: "batchnorm" } } } }, { arms: { a: {} } }, { arms, rule: {} }, { arms, rules: { alpha: 2 } }])).toEqual([
    ["arms.b.model"],
    ["arms"],
    [""],
    ["rules.alpha"],
  ]);
});

test("the schema of rules accepts those of a table, and names a wrong value and a misspelt field", () => {
  expect(JSON.parse(readFileSync("schemas/rules.schema.json", "utf8"))).toEqual(rulesJsonSchema());
  const cases = [{ $schema: "x", decides: ["loss"], margin: { loss: 0.002 } }, {}, { alpha: 2 }, { decide: ["loss"] }];
  expect(expectedFrom(program.replace("experiment.schema", "rules.schema"), JSON.stringify(cases))).toEqual([[], [], ["alpha"], [""]]);
});

test("the shipped JSON Schema is what the grammar gives; else run npm run generate:schema", () => {
  expect(JSON.parse(readFileSync("schemas/sweep.schema.json", "utf8"))).toEqual(JSON.parse(JSON.stringify(sweepJsonSchema())));
});

test("another reader of JSON Schema accepts the sweep of the documentation, and refuses a misspelt part", () => {
  const good = {
    base: { preset: "quick", training: { max_steps: 5 } },
    grid: { "init.sigma": { logspace: [1e-6, 1e-3, 7] }, "training.learning_rate": [1e-3, 3e-4] },
    zip: { "training.adam_beta2": [0.999, 0.95], name: ["adam", "fast-adam"] },
    cases: [{ "model.norm": "layernorm" }],
    exclude: [{ "init.sigma": 1e-3, "training.learning_rate": 1e-3 }],
    seeds: "1..4",
    random: { trials: 20, seed: 7, over: { "training.learning_rate": { log: [1e-4, 1e-2] } } },
    prune: { every: 100, when: "allFrozen" },
  };
  const bad = [{ grids: {} }, { grid: { seed: 3 } }, { base: { trainin: {} } }, { prune: { when: "bored" } }];
  const program = `
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open("schemas/sweep.schema.json"))
Draft202012Validator.check_schema(schema)
print(json.dumps([Draft202012Validator(schema).is_valid(each) for each in json.loads(sys.argv[1])]))`;
  expect(expectedFrom(program, JSON.stringify([good, ...bad]))).toEqual([true, false, false, false, false]);
});
