import { expect, test } from "vitest";
import { findHistoryTensor, historyTensors } from "../../../src/formats/history-tensor.js";
import type { TensorInfo } from "../../../src/formats/stored-tensor.js";

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
