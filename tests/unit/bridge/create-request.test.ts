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

test("a configuration's sections are sent as they are, with the paths of the corpus and of the tokenizer that were found", () => {
  const config = parseRunConfig({ data: { held_out: 0.25 }, record: { rows: [1] }, noise: { epsilon: 1e-3 }, checkpoint: { keep: 3 } });
  const request = createRequest(config, { ...context, corpus: "/text", tokenizer: "/tokenizer.json" });
  const { train_tokenizer: _trained, ...text } = config.data;
  const { training, noise, record, checkpoint, seed } = config;
  expect(request).toEqual({
    ...context,
    data: { ...text, corpus: "/text", tokenizer: "/tokenizer.json", window_length: 128 },
    engine: "trainer",
    processes: 1,
    exact_step: "auto",
    compiled_step: "auto",
    graphed_step: "auto",
    stack: 1,
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
