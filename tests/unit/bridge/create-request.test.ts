import { expect, test } from "vitest";
import { createRequest } from "../../../src/bridge/create-request.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { operations } from "../../../src/protocol/operations.js";

const context = {
  model: { slot: 0, generation: 1 },
  run_directory: "/runs/1",
  device: "cpu",
  events: [],
  deciders: [],
  resume: null,
  start_from: null,
  until: null,
  trace: null,
};

test("what the configuration alone decides of compiling is sent with its reason", () => {
  const compilingOf = (engine: object, max_steps = 250) => {
    const request = createRequest(parseRunConfig({ engine: { name: "fast", ...engine }, training: { max_steps } }), {
      ...context,
      corpus: "/text",
      tokenizer: null,
    });
    return request.engine.name === "fast" ? Object.values(request.engine.compiling) : undefined;
  };
  expect(compilingOf({})).toEqual(["try", "it pays for a run of this length"]);
  expect(compilingOf({}, 249)).toEqual(["never", "it pays from 250 steps on"]);
  expect(compilingOf({ compile: "on" }, 1)).toEqual(["require", "engine.compile is on"]);
  expect(compilingOf({ compile: "off" })).toEqual(["never", "engine.compile is off"]);
  expect(compilingOf({ batched_runs: 2 })).toEqual(["never", "batched runs are not compiled"]);
});

test("a schedule in words is written out", () => {
  const record = { every: "0..2, every 10", schedules: { wte: [1], "wte.grad": "log 1" }, tensors: ["wte", "wte.grad"] } as const;
  const config = parseRunConfig({
    record: { ...record, schedules: { ...record.schedules, wte: [1] }, tensors: [...record.tensors] },
    training: { max_steps: 25 },
  });
  const request = createRequest(config, { ...context, corpus: "/text", tokenizer: null });
  expect(request.record).toMatchObject({ every: [0, 1, 2, 10, 20, 25], schedules: { wte: [1], "wte.grad": [0, 1, 10, 25] } });
});

test("a configuration's sections are sent as they are, with the paths of the corpus and of the tokenizer that were found", () => {
  const config = parseRunConfig({ data: { held_out: 0.25 }, record: { rows: [1] }, noise: { epsilon: 1e-3 }, checkpoint: { keep: 3 } });
  const request = createRequest(config, { ...context, corpus: "/text", tokenizer: "/tokenizer.json" });
  const { train_tokenizer: _trained, ...text } = config.data;
  const { training, noise, record, checkpoint, seed } = config;
  expect(request).toEqual({
    ...context,
    data: { ...text, corpus: "/text", tokenizer: "/tokenizer.json", window_length: 128 },
    engine: { name: "trainer", exact: "auto", graph: "auto", processes: 1 },
    training,
    noise,
    record,
    checkpoint,
    seed,
    data_seed: seed,
    dtype: config.model.dtype,
  });
  expect(operations["trainer.create"].request.parse(request)).toEqual(request);
});
