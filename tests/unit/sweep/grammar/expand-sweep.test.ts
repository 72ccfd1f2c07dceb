import { expect, test } from "vitest";
import type { ConfigIssue } from "../../../../src/errors.js";
import { expandSweep, flattenOverrides } from "../../../../src/sweep/grammar/expand-sweep.js";
import { sweepSchema } from "../../../../src/sweep/grammar/sweep-schema.js";

function setsOf(written: object): object[] {
  const issues: ConfigIssue[] = [];
  const points = expandSweep(sweepSchema.parse(written), issues);
  expect(issues).toEqual([]);
  return points.map(({ set }) => set);
}

function issuesOf(written: object): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  expandSweep(sweepSchema.parse(written), issues);
  return issues;
}

test("every combination of the grid, the first axis slowest, with every seed", () => {
  expect(setsOf({ grid: { a: [1, 2], "b.c": ["x", "y"] }, seeds: "1..2" })).toEqual([
    { a: 1, "b.c": "x", seed: 1 },
    { a: 1, "b.c": "x", seed: 2 },
    { a: 1, "b.c": "y", seed: 1 },
    { a: 1, "b.c": "y", seed: 2 },
    { a: 2, "b.c": "x", seed: 1 },
    { a: 2, "b.c": "x", seed: 2 },
    { a: 2, "b.c": "y", seed: 1 },
    { a: 2, "b.c": "y", seed: 2 },
  ]);
});

test("linked axes go together, with each combination of the others", () => {
  expect(setsOf({ grid: { a: [1, 2] }, zip: { b: [10, 20], name: ["ten", "twenty"] } })).toEqual([
    { a: 1, b: 10, name: "ten" },
    { a: 1, b: 20, name: "twenty" },
    { a: 2, b: 10, name: "ten" },
    { a: 2, b: 20, name: "twenty" },
  ]);
});

test("cases come beside the combinations, as they stand, and are not excluded", () => {
  const written = { grid: { a: [1, 2], b: [3, 4] }, cases: [{ model: { norm: "layernorm" } }, { a: 1, b: 3 }], exclude: [{ a: 1, b: 3 }] };
  expect(setsOf(written)).toEqual([{ a: 1, b: 4 }, { a: 2, b: 3 }, { a: 2, b: 4 }, { "model.norm": "layernorm" }, { a: 1, b: 3 }]);
});

test("cases alone are all that is trained, and a sweep with nothing is its base", () => {
  expect(setsOf({ cases: [{ a: 1 }] })).toEqual([{ a: 1 }]);
  expect(setsOf({})).toEqual([{}]);
  expect(setsOf({ seeds: [5] })).toEqual([{ seed: 5 }]);
});

test("an axis may set whole objects", () => {
  expect(setsOf({ grid: { init: [{ kind: "singular" }, { kind: "snowball", sigma: 1e-5 }] } })).toEqual([
    { "init.kind": "singular" },
    { "init.kind": "snowball", "init.sigma": 1e-5 },
  ]);
});

test("drawn points are further trials", () => {
  const drawn = { trials: 3, seed: 7, over: { a: { uniform: [0, 1] } } };
  expect(setsOf({ grid: { a: [5] }, random: drawn, sobol: drawn })).toHaveLength(1 + 3 + 3);
});

test.each([
  [{ zip: { a: [1, 2], b: [1, 2, 3] } }, { path: "zip", message: "linked axes must have equal lengths: a has 2, b has 3" }],
  [
    { grid: { a: [1] }, zip: { a: [1] } },
    { path: "zip.a", message: "is also an axis of grid. Remove one of them" },
  ],
  [
    { grid: { seed: [1] }, seeds: 2 },
    { path: "grid.seed", message: "conflicts with seeds. Remove one of them" },
  ],
  [{ grid: { a: "1..1000", b: "1..1000" } }, { path: "grid", message: "these are 1000000 trials; a sweep may have 100000" }],
])("%j is refused", (written, issue) => {
  expect(issuesOf(written)).toEqual([issue]);
});

test("each value has its place in the sweep", () => {
  const [point] = expandSweep(sweepSchema.parse({ grid: { init: [{ kind: "singular" }] }, zip: { a: [1] }, seeds: 1 }), []);
  expect(["init.kind", "a", "seed"].map((path) => point?.locationOf(path))).toEqual(["grid.init", "zip.a", "seeds"]);
});

test("dotted keys and nested objects are the same", () => {
  expect(flattenOverrides({ "model.norm": "layernorm", training: { max_steps: 3, "optim.x": 1 } })).toEqual({
    "model.norm": "layernorm",
    "training.max_steps": 3,
    "training.optim.x": 1,
  });
});

test("a list is one value, an empty object too, and what is undefined is not there", () => {
  expect(flattenOverrides({ record: { tensors: ["wte"], rows: undefined }, training: { lr_scheduler_kwargs: {} } })).toEqual({
    "record.tensors": ["wte"],
    "training.lr_scheduler_kwargs": {},
  });
});

test("of two that name one path the later holds", () => {
  expect(flattenOverrides({ "model.norm": "a", model: { norm: "b" } })).toEqual({ "model.norm": "b" });
});
