import { expect, test } from "vitest";
import { fieldPaths } from "../../../src/config/json-schema.js";
import { aliases, aliasLayer, type Layer, mergeLayers, parseValue, setLayer } from "../../../src/config/layers.js";
import type { ConfigIssue } from "../../../src/errors.js";

const layer = (name: string, values: Record<string, unknown>): Layer => ({ values, sourceOf: () => name });

function merged(...layers: Layer[]) {
  const issues: ConfigIssue[] = [];
  return { ...mergeLayers(layers, issues), issues };
}

test("objects are merged, anything else is replaced, and each value keeps its source", () => {
  const { values, sources } = merged(
    layer("preset", { training: { max_steps: 10, optim: "sgd" }, record: { rows: [1, 2, 3] } }),
    layer("file", { training: { max_steps: 20 }, record: { rows: [4] } }),
  );
  expect(values).toEqual({ training: { max_steps: 20, optim: "sgd" }, record: { rows: [4] } });
  expect(Object.fromEntries(sources)).toMatchObject({ "training.max_steps": "file", "training.optim": "preset", "record.rows": "file" });
});

test("another kind of initial state starts afresh", () => {
  const snowball = layer("preset", { init: { kind: "snowball", sigma: 1e-4 } });
  const { values, sources } = merged(snowball, layer("file", { init: { kind: "singular" } }));
  expect(values).toEqual({ init: { kind: "singular" } });
  expect([...sources.keys()].filter((path) => path.includes("sigma"))).toEqual([]);
  expect(merged(snowball, layer("file", { init: { kind: "snowball" } })).values).toEqual({ init: { kind: "snowball", sigma: 1e-4 } });
});

test("undefined sets nothing", () => {
  expect(merged(layer("preset", { seed: 1 }), layer("input", { seed: undefined })).values).toEqual({ seed: 1 });
});

test("a value that takes the place of an object takes the place of the sources below it", () => {
  const { values, sources } = merged(layer("a", { data: { corpus: "x" } }), layer("b", { data: null }), layer("c", { data: { held_out: 0.1 } }));
  expect(values).toEqual({ data: { held_out: 0.1 } });
  expect(sources.get("data.corpus")).toBeUndefined();
  expect(sources.get("data.held_out")).toBe("c");
});

test.each(["__proto__", "constructor", "prototype"])("the name %s is refused, and no object changes", (key) => {
  const { values, issues } = merged(layer("file", JSON.parse(`{"${key}": {"polluted": true}, "seed": 1}`)));
  expect(issues).toEqual([{ path: key, message: "is not a field name", source: "file" }]);
  expect(values).toEqual({ seed: 1 });
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("an object that contains itself is refused", () => {
  const cycle: Record<string, unknown> = {};
  cycle["again"] = cycle;
  const { issues } = merged(layer("input", { training: cycle }));
  expect(issues).toHaveLength(1);
  expect(issues[0]?.message).toBe("is nested more than 16 levels deep");
});

test("no layer is changed", () => {
  const preset = layer("preset", { training: { max_steps: 10 } });
  merged(preset, layer("file", { training: { max_steps: 20 } }));
  expect(preset.values).toEqual({ training: { max_steps: 10 } });
});

test.each([
  ["3e-4", 3e-4],
  ["true", true],
  ["null", null],
  ["[1,2]", [1, 2]],
  ['{"a":1}', { a: 1 }],
  ['"42"', "42"],
  ["linear", "linear"],
  ["a=b", "a=b"],
  ["", ""],
])("%s is read as %j", (text, value) => {
  expect(parseValue(text)).toEqual(value);
});

test("paths nest, the later of two holds, and a value may hold an equals sign", () => {
  const issues: ConfigIssue[] = [];
  const { values, sourceOf } = setLayer(["a.b=1", "a.c.d=x=y", "a.b=2", "e=[1]"], issues);
  expect(values).toEqual({ a: { b: 2, c: { d: "x=y" } }, e: [1] });
  expect(sourceOf("a.c.d")).toBe("--set");
  expect(issues).toEqual([]);
});

test("a path through __proto__ makes a key and leaves every other object alone", () => {
  const { values } = setLayer(["__proto__.polluted=1"], []);
  expect(Object.keys(values)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

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
