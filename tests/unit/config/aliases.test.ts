import { expect, test } from "vitest";
import { aliases, aliasLayer } from "../../../src/config/aliases.js";
import { fieldPaths } from "../../../src/config/field-catalog.js";

test("every short option is a field of the configuration", () => {
  expect(fieldPaths()).toEqual(expect.arrayContaining(Object.values(aliases).map(({ path }) => path)));
});

test("numbers are read as numbers, and texts are left as they stand", () => {
  const layer = aliasLayer({ steps: "1e3", seed: "7", threads: "null", corpus: "true", name: "42" });
  expect(layer.values).toEqual({ training: { max_steps: 1000 }, seed: 7, threads: null, data: { corpus: "true" }, name: "42" });
});

test("a short option of two words is blamed as it is typed", () => {
  const layer = aliasLayer({ lr: "3e-4", batchSize: "0" });
  expect(layer.values).toEqual({ training: { learning_rate: 3e-4, per_device_train_batch_size: 0 } });
  expect(layer.sourceOf("training.per_device_train_batch_size")).toBe("--batch-size");
});

test("one file of text is a path, several are a list", () => {
  expect(aliasLayer({ corpus: ["a.txt"] }).values).toEqual({ data: { corpus: "a.txt" } });
  expect(aliasLayer({ corpus: ["a.txt", "b.txt"] }).values).toEqual({ data: { corpus: [{ path: "a.txt" }, { path: "b.txt" }] } });
});

test("a value is blamed on the option that it came with", () => {
  const layer = aliasLayer({ steps: "many", device: "cpu" });
  expect(layer.values).toEqual({ training: { max_steps: "many" }, device: "cpu" });
  expect(layer.sourceOf("training.max_steps")).toBe("--steps");
  expect(layer.sourceOf("device")).toBe("--device");
});

test("an option that was not given sets nothing", () => {
  expect(aliasLayer({ steps: undefined }).values).toEqual({});
});
