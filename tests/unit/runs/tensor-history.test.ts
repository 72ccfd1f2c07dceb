import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";
import { tensorHistory } from "../../../src/runs/tensor-history.js";
import { memorySource } from "../analysis/memory-source.js";

function tensor(...shape: number[]): StoredTensor {
  const bytes = Uint8Array.from({ length: 2 * shape.reduce((product, size) => product * size, 1) }, (_, index) => index);
  return { name: "W", dtype: "BF16", shape, bytes: bytes.length, file: "", rows: () => memorySource(new Matrix("BF16", shape, bytes)) };
}

test("a tensor of three dimensions is read state by state", async () => {
  let closed = 0;
  const history = await tensorHistory(tensor(4, 3, 2), "file.h5", {}, () => void closed++);
  expect(history).toMatchObject({ source: "file.h5", dtype: "BF16", states: 4, tokens: 3, dims: 2 });
  expect(history).not.toHaveProperty("steps");
  expect(history.rowTokens.count).toBe(3);
  const target = new Uint8Array(100).fill(255); // longer than what is asked for
  history.read(1, 2, target);
  expect([...target.subarray(0, 25)]).toEqual([...Array.from({ length: 24 }, (_, index) => 12 + index), 255]); // 12 bytes a state
  history.close();
  expect(closed).toBe(1);
});

test("states that its file says have not been recorded do not count", async () => {
  expect((await tensorHistory(tensor(4, 3, 2), "file", { states: 2 }, () => undefined)).states).toBe(2);
});

test.each([[[]], [[4]], [[4, 3]], [[4, 3, 2, 1]]])("a tensor of the shape %j is no history", async (shape) => {
  await expect(tensorHistory(tensor(...shape), "file.h5", {}, () => undefined)).rejects.toMatchObject({
    code: "FORMAT_UNSUPPORTED",
    message: `tensor "W" of file.h5 is not a history: the shape is [${shape.join(", ")}], not [states, tokens, dims]`,
  });
});
