import { expect, test } from "vitest";
import { readState } from "../../../src/formats/read-state.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { memoryHistory } from "../analysis/memory-source.js";

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
