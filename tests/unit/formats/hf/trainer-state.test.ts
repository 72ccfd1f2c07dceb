import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTrainerState } from "../../../../src/formats/hf/trainer-state.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

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
