import { expect, test } from "vitest";
import type { Layer } from "../../../src/config/layer.js";
import { mergeLayers } from "../../../src/config/merge-layers.js";
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
