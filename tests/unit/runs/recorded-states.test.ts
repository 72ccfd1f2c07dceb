import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";
import { recordedStates } from "../../../src/runs/recorded-states.js";
import { memorySource } from "../analysis/memory-source.js";

function tensor(name: string, values: readonly number[], shape: readonly number[], file = "history.safetensors"): StoredTensor {
  const bytes = new Uint8Array(Float64Array.from(values).buffer);
  return { name, dtype: "F64", shape, bytes: bytes.length, file, rows: () => memorySource(new Matrix("F64", shape, bytes)) };
}

const history = tensor("embedding_history", [0, 0, 0, 0], [4, 1, 1]);
const stepsDone = (value: number, file?: string) => tensor("steps_done", [value], [], file);

test.each([
  [0, 1],
  [2, 3],
  [3, 4],
])("after step %i, %i states have been recorded", (step, states) => {
  expect(recordedStates([history, stepsDone(step)], history, "run")).toBe(states);
});

test("a file that does not say, or another's word, tells nothing", () => {
  expect(recordedStates([history], history, "run")).toBeUndefined();
  expect(recordedStates([history, stepsDone(2, "history.wte.grad.safetensors")], history, "run")).toBeUndefined();
});

test.each([-1, 4, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("%d steps cannot be, and are refused with the room that there is", (value) => {
  expect(() => recordedStates([history, stepsDone(value)], history, "run/history.safetensors")).toThrow(
    expect.objectContaining({
      code: "FORMAT_INVALID",
      message: expect.stringMatching(new RegExp(`run/history\\.safetensors .*steps_done is ${value}, but the history has room for the states 0 to 3$`)),
    }),
  );
});

test("more than one number is none", () => {
  expect(() => recordedStates([history, tensor("steps_done", [1, 2], [2])], history, "run")).toThrow(/steps_done is NaN/);
});
