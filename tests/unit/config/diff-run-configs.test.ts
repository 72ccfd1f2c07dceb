import { expect, test } from "vitest";
import { diffRunConfigs, typeName } from "../../../src/config/diff-run-configs.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

const seed = parseRunConfig({});

test("equal configurations differ in nothing", () => {
  expect(diffRunConfigs(seed, parseRunConfig({}))).toEqual([]);
});

test("each field that differs is named once, in the schema's order", () => {
  const other = parseRunConfig({ checkpoint: { keep: 3 }, seed: 7, training: { learning_rate: 3e-4 } });
  expect(diffRunConfigs(seed, other)).toEqual([
    { path: "seed", before: 42, after: 7, typeChanged: false },
    { path: "training.learning_rate", before: 1e-3, after: 3e-4, typeChanged: false },
    { path: "checkpoint.keep", before: 2, after: 3, typeChanged: false },
  ]);
});

test("a field of another kind of initial state is there on one side alone", () => {
  const snowball = parseRunConfig({ init: { kind: "snowball", sigma: 1e-4 } });
  expect(diffRunConfigs(seed, snowball)).toEqual([
    { path: "init.kind", before: "singular", after: "snowball", typeChanged: false },
    { path: "init.sigma", before: undefined, after: 1e-4, typeChanged: false },
  ]);
});

test("a list in place of a name is another type; a value in place of null is not", () => {
  expect(diffRunConfigs(seed, parseRunConfig({ record: { rows: [1] } }))).toEqual([{ path: "record.rows", before: "all", after: [1], typeChanged: true }]);
  expect(diffRunConfigs(seed, parseRunConfig({ threads: 2 }))).toEqual([{ path: "threads", before: null, after: 2, typeChanged: false }]);
});

test("an object with fields in place of an empty one is one type, and in place of a text another", () => {
  const kwargs = (lr_scheduler_kwargs: unknown) => parseRunConfig({ training: { lr_scheduler_type: "cosine", lr_scheduler_kwargs } });
  expect(diffRunConfigs(kwargs("{}"), kwargs({ num_cycles: 2 })).map(({ path, typeChanged }) => [path, typeChanged])).toEqual([
    ["training.lr_scheduler_kwargs", true],
    ["training.lr_scheduler_kwargs.num_cycles", false],
  ]);
});

test.each([
  [[1], "list"],
  ["a", "text"],
  [1, "number"],
  [true, "boolean"],
  [undefined, "object"],
])("%j is called a %s", (value, name) => {
  expect(typeName(value)).toBe(name);
});
