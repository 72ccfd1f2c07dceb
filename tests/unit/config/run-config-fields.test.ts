import { expect, test } from "vitest";
import { runConfigFields } from "../../../src/config/run-config-fields.js";

const accepts = (input: object) => runConfigFields.safeParse(input).success;

test("a configuration of nothing is complete, and plain data", () => {
  const config = runConfigFields.parse({});
  expect(config).toMatchObject({
    seed: 42,
    device: "auto",
    threads: null,
    engine: { name: "trainer", exact: "auto", graph: "auto", processes: 1 },
    init: { kind: "singular" },
    noise: { epsilon: 0 },
  });
  expect(runConfigFields.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
});

test.each([
  ["the seeds of 32 bits", [0, 2 ** 32 - 1].map((seed) => ({ seed })), [-1, 2 ** 32, 1.5, "1"].map((seed) => ({ seed }))],
  ["threads that a machine may have", [null, 1, 1024].map((threads) => ({ threads })), [0, 1025, 0.5].map((threads) => ({ threads }))],
  [
    "devices by kind or number",
    ["auto", "cpu", "cuda", "mps", "cuda:0", "cuda:12"].map((device) => ({ device })),
    ["gpu", "cuda:", "cuda:-1", "cuda:1.5", "cpu:0", ""].map((device) => ({ device })),
  ],
  [
    "noise that is a number from 0 on",
    [0, 1e-9, 5].map((epsilon) => ({ noise: { epsilon } })),
    [-1, Number.NaN, Number.POSITIVE_INFINITY].map((epsilon) => ({ noise: { epsilon } })),
  ],
  [
    "batched runs",
    [1, 2, 64].map((batched_runs) => ({ engine: { name: "fast", batched_runs } })),
    [0, 65, 1.5, null].map((batched_runs) => ({ engine: { name: "fast", batched_runs } })),
  ],
  ["names with a letter", [{ name: "a" }, { name: "x".repeat(200) }], [{ name: "" }, { name: "x".repeat(201) }]],
  [
    "methods of the step",
    [{ engine: { exact: "off" } }, { engine: { name: "fast", compile: "on" } }],
    [{ engine: { exact: "on" } }, { engine: { name: "fast", compile: true } }, { engine: { compile: "on" } }, { engine: { name: "fast", exact: "off" } }],
  ],
])("it takes %s, and nothing else", (_, good, bad) => {
  for (const input of good) expect(accepts(input), JSON.stringify(input)).toBe(true);
  for (const input of bad) expect(accepts(input), JSON.stringify(input)).toBe(false);
});

test("a field of no configuration is refused in every section", () => {
  for (const section of ["data", "model", "noise", "record", "checkpoint"]) expect(accepts({ [section]: { novelty: 1 } }), section).toBe(false);
  expect(accepts({ novelty: 1 })).toBe(false);
});
