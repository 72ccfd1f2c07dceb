import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openHfDirectory, readTrainerState } from "../../../../src/formats/hf/hf-directory.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

/** A safetensors file with one tensor of two bytes. */
function safetensors(name: string): Buffer {
  const header = Buffer.from(JSON.stringify({ [name]: { dtype: "BF16", shape: [1], data_offsets: [0, 2] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(2)]);
}

function directoryWith(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

function opened(files: Readonly<Record<string, string | Buffer>>) {
  const file = openHfDirectory(directoryWith(files));
  file.close();
  return { kind: file.kind, tensors: file.tensors.map(({ name }) => name), config: file.metadata["config"] };
}

const index = JSON.stringify({ weight_map: { b: "model-1.safetensors" } });

test("a model in one file is a checkpoint, with the configuration beside it where there is one", () => {
  const model = { "model.safetensors": safetensors("a") };
  expect(opened({ ...model, "config.json": '{"model_type": "gpt2"}' })).toEqual({ kind: "hf-checkpoint", tensors: ["a"], config: { model_type: "gpt2" } });
  expect(opened(model)).toEqual({ kind: "hf-checkpoint", tensors: ["a"], config: undefined });
});

test("one in shards is a checkpoint where a configuration says so, else shards", () => {
  const shards = { "model.safetensors.index.json": index, "model-1.safetensors": safetensors("b") };
  expect(opened(shards)).toMatchObject({ kind: "safetensors-sharded", tensors: ["b"] });
  expect(opened({ ...shards, "config.json": "{}" })).toMatchObject({ kind: "hf-checkpoint", tensors: ["b"] });
});

test("where there are several, the one that transformers takes is opened", () => {
  expect(opened({ "model.safetensors": safetensors("a"), "model.safetensors.index.json": index, "pytorch_model.bin": "", "optimizer.pt": "" }).tensors).toEqual(
    ["a"],
  );
});

describe("a directory without a model is refused, with what to name instead", () => {
  const refused = (directory: string) => expect(() => openHfDirectory(directory));

  test("its checkpoints, the newest as an example: by their numbers, not by their letters", () => {
    const directory = directoryWith({ "a.pt": "" });
    for (const name of ["checkpoint-9", "checkpoint-10", "checkpoint-x"]) mkdirSync(join(directory, name));
    refused(directory).toThrow(
      expect.objectContaining({
        code: "FORMAT_UNSUPPORTED",
        message: expect.stringContaining(`It holds the checkpoints checkpoint-9, checkpoint-10; name one, for example ${join(directory, "checkpoint-10")}.`),
      }),
    );
  });

  test("its files of tensors, ten of them", () => {
    const names = Array.from({ length: 12 }, (_, number) => `${String.fromCharCode(97 + number)}.npy`);
    const directory = directoryWith(Object.fromEntries([...names, "notes.txt"].map((name) => [name, ""])));
    refused(directory).toThrow(/It holds (?:[a-l]\.npy, ){9}[a-l]\.npy; name one of them\.$/);
  });

  test("what it should hold, where it holds nothing", () => {
    refused(temporaryDirectory()).toThrow(/It should hold model\.safetensors or .* or pytorch_model\.bin\.index\.json, or optimizer\.pt, or be a run\.$/);
  });
});

test("what transformers writes is read, not-a-number as nothing", () => {
  const directory = temporaryDirectory();
  expectedFrom(
    `
import sys
from transformers import TrainerState
state = TrainerState(global_step=3, max_steps=10, epoch=0.5, num_train_epochs=2, best_metric=float("nan"), log_history=[{"loss": 1.5, "step": 3}, {"grad_norm": float("inf"), "step": 3}])
state.save_to_json(sys.argv[1])
print(0)`,
    join(directory, "trainer_state.json"),
  );
  expect(readTrainerState(directory)).toEqual({
    global_step: 3,
    max_steps: 10,
    epoch: 0.5,
    num_train_epochs: 2,
    best_metric: null,
    log_history: [
      { loss: 1.5, step: 3 },
      { grad_norm: null, step: 3 },
    ],
  });
});

test("a checkpoint without one has none", () => {
  expect(readTrainerState(temporaryDirectory())).toBeUndefined();
});

test.each([
  ["another file", '{"global_step": 3}', /it is not a Trainer state/],
  ["a step that is no integer", '{"global_step": 3.5, "max_steps": 4, "log_history": []}', /global_step/],
  ["text", "{", /trainer_state\.json/],
])("%s is refused by its path", (_, content, message) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "trainer_state.json"), content);
  expect(() => readTrainerState(directory)).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringMatching(message) }));
});
