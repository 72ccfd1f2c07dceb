import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { experimentJsonSchema } from "../../../../src/sweep/experiment/experiment-json-schema.js";
import { experimentPresets } from "../../../../src/sweep/experiment/experiment-presets.js";
import { expectedFrom } from "../../formats/reference-python.js";

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
