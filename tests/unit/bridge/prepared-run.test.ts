import { expect, test } from "vitest";
import { createRequest, environmentPin, resolveDevice } from "../../../src/bridge/prepared-run.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { operations, type PythonEnvironment } from "../../../src/protocol/operations.js";
import { environmentPinSchema } from "../../../src/runs/run-manifest.js";
import { pin } from "../runs/environment-pin.js";

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

test("engine.compile of earlier versions has no effect", () => {
  const requested = (compile: "auto" | "on" | "off") =>
    createRequest(parseRunConfig({ engine: { name: "fast", compile } }), { ...context, corpus: "/text", tokenizer: null });
  expect(requested("on")).toEqual(requested("auto"));
  expect(requested("off").engine).toEqual({ name: "fast", graph: "auto", batched_runs: 1, processes: 1 });
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
  const { train_tokenizer: _trained, field: _field, ...text } = config.data;
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
    track: [],
    data_seed: seed,
    dtype: config.model.dtype,
  });
  expect(operations["trainer.create"].request.parse(request)).toEqual(request);
});

const { device: _, transformers, accelerate, safetensors, numpy, ...process } = pin;
const environment = {
  ...process,
  devices: { cuda: ["NVIDIA H100"], mps: false },
  packages: { transformers, accelerate, safetensors, numpy },
} as unknown as PythonEnvironment;

test("a run records what decides its bits: device, threads, processor, and the versions of what computes", () => {
  expect(environmentPinSchema.parse(environmentPin(environment, resolveDevice("cpu", environment)))).toEqual(pin);
  expect(environmentPin(environment, resolveDevice("cuda", environment)).device).toBe("cuda: NVIDIA H100");
});

test("a package that is not there has no version", () => {
  const without = { ...environment, packages: { transformers } } as PythonEnvironment;
  expect(environmentPin(without, resolveDevice("cpu", without))).toMatchObject({ transformers, accelerate: "", numpy: "" });
});

const machine = (cuda: string[], mps: boolean) => ({ devices: { cuda, mps } }) as PythonEnvironment;

test.each([
  ["auto", machine(["NVIDIA H100"], true), "cuda: NVIDIA H100"],
  ["auto", machine([], true), "mps"],
  ["auto", machine([], false), "cpu"],
  ["cpu", machine(["NVIDIA H100"], true), "cpu"],
  ["cuda:3", machine(["NVIDIA A100"], false), "cuda: NVIDIA A100"], // the chosen one is the only one that Python sees
  ["mps", machine([], true), "mps"],
])("%s on a machine %# is %s", (wanted, environment, label) => {
  expect(resolveDevice(wanted, environment).label).toBe(label);
});

test.each([
  ["cuda", machine([], true), /cuda is not available: PyTorch sees mps, cpu/],
  ["mps", machine(["NVIDIA H100"], false), /mps is not available: PyTorch sees cuda: NVIDIA H100, cpu/],
])("%s where it is not is refused, naming what is there", (wanted, environment, message) => {
  let error: unknown;
  try {
    resolveDevice(wanted, environment);
  } catch (caught) {
    error = caught;
  }
  expect(error).toMatchObject({ code: "DEVICE_UNAVAILABLE", message: expect.stringMatching(message) });
});
