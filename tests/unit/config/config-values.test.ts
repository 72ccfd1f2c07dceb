import { expect, test } from "vitest";
import { fieldPaths } from "../../../src/config/json-schema.js";
import { configValues } from "../../../src/config/json-value.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

const values = configValues(parseRunConfig({ record: { rows: [3, 5] }, training: { lr_scheduler_type: "cosine", lr_scheduler_kwargs: {} } }));

test("every value stands under its dotted path, in the schema's order", () => {
  const paths = [...values.keys()];
  const order = fieldPaths();
  expect(paths).toEqual(order.filter((path) => values.has(path)));
  expect(values.get("model.vocab_size")).toBe(128);
});

test("a list is one value, and so are null and an empty object", () => {
  expect(values.get("record.rows")).toEqual([3, 5]);
  expect(values.get("threads")).toBeNull();
  expect(values.get("training.lr_scheduler_kwargs")).toEqual({});
});

test("a field that was left out has no value", () => {
  expect(values.has("name")).toBe(false);
});
