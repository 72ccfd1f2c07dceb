import { expect, test } from "vitest";
import { findHistoryTensor, historyTensors, readState, stateOfStep, stepOfState, stepsOf } from "../../../src/formats/history.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import type { TensorInfo } from "../../../src/formats/stored-tensor.js";
import { memoryHistory } from "../analysis/memory-source.js";

const tensor = (name: string, ...shape: number[]): TensorInfo => ({ name, dtype: "F32", shape, bytes: 0, file: "" });

test("a history has three dimensions", () => {
  const [flat, history, deep] = [tensor("a", 2, 3), tensor("b", 2, 3, 4), tensor("c", 2, 3, 4, 5)];
  expect(historyTensors([flat, history, deep])).toEqual([history]);
});

test.each([
  ["the one of a known name, wherever it stands", [tensor("other", 2, 3, 4), tensor("W", 2, 3, 4)], "W"],
  ["the only one, whatever it is called", [tensor("other", 2, 3, 4), tensor("matrix", 2, 3)], "other"],
  ["none of several that have no known name", [tensor("one", 2, 3, 4), tensor("two", 2, 3, 4)], undefined],
  ["none where the known name is a matrix's", [tensor("embedding_history", 3, 4)], undefined],
  ["none of nothing", [], undefined],
])("found is %s", (_, tensors, name) => {
  expect(findHistoryTensor(tensors)?.name).toBe(name);
});

const history = memoryHistory("U8", [3, 2, 1], Uint8Array.of(1, 2, 3, 4, 5, 6));

test("a state is a matrix of its tokens, with memory of its own", () => {
  const [first, last] = [readState(history, 0), readState(history, 2)];
  expect([...first.bytes]).toEqual([1, 2]);
  expect([last.dtype, last.shape, [...last.bytes]]).toEqual(["U8", [2, 1], [5, 6]]);
});

test("where chosen tokens were recorded, its rows are these", () => {
  const rowTokens = new RowTokens({ vocabulary: 10, ids: [7, 3] });
  expect([0, 1].map((row) => readState({ ...history, rowTokens }, 1).rowTokens.ofRow(row))).toEqual([7, 3]);
});

test.each([-1, 3, 0.5, Number.NaN])("there is no state %d of three", (index) => {
  expect(() => readState(history, index)).toThrow(expect.objectContaining({ code: "USAGE", message: `memory has the states 0 to 2, not ${index}` }));
});

const every = { source: "history", states: 4 };
const third = { source: "history", states: 4, steps: [0, 3, 6, 9] };

test("without steps, every state is of the step of its number", () => {
  expect(stepsOf(every)).toEqual([0, 1, 2, 3]);
  expect([0, 3].map((state) => stepOfState({}, state))).toEqual([0, 3]);
  expect(stateOfStep(every, 3)).toBe(3);
});

test("with steps, they say", () => {
  expect(stepsOf(third)).toEqual([0, 3, 6, 9]);
  expect(stepOfState(third, 2)).toBe(6);
  expect(stateOfStep(third, 6)).toBe(2);
});

test.each([
  [4, "step 4 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 3 and 6"],
  [12, "step 12 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 9"],
  [-1, "step -1 is not recorded in history: it has 4 states of the steps 0 to 9, the nearest 0"],
])("step %i, which was not recorded, is refused with the nearest", (step, message) => {
  expect(() => stateOfStep(third, step)).toThrow(expect.objectContaining({ code: "USAGE", message }));
});
