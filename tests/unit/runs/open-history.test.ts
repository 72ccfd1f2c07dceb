import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Matrix } from "../../../src/formats/matrix.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";
import { openHistory, tensorHistory } from "../../../src/runs/open-history.js";
import { memorySource } from "../analysis/memory-source.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A history as torch saves it: `tensors` is the body of a dict over `h`, a bf16 tensor [5, 4, 3]; returns the bits of state 2. */
function save(path: string, tensors: string): number[] {
  const program = `
import sys, json, torch
from safetensors.torch import save_file
h = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
save_file({${tensors}}, sys.argv[1])
print(json.dumps(h[2].view(torch.uint16).flatten().tolist()))`;
  return expectedFrom(program, path);
}

test("the notebook's file is a history, read state by state", async () => {
  const path = join(directory, "embedding_evolution.safetensors");
  const bits = save(path, '"embedding_history": h');
  const history = await openHistory(path);
  expect(history).toMatchObject({ source: path, dtype: "BF16", states: 5, tokens: 4, dims: 3, raw: { path } });
  const state = new Uint16Array(12);
  history.read(2, 1, new Uint8Array(state.buffer));
  expect([...state]).toEqual(bits);
  history.close();
});

test("states after steps_done do not count, and a run directory finds its history", async () => {
  const run = join(directory, "run");
  mkdirSync(run);
  save(join(directory, "h"), '"embedding_history": h, "steps_done": torch.tensor(3)');
  renameSync(join(directory, "h"), join(run, "history.safetensors"));
  const history = await openHistory(run);
  expect(history.states).toBe(4);
  history.close();
});

test.each([
  ["a steps_done beyond the room", '"embedding_history": h, "steps_done": torch.tensor(5)', "FORMAT_INVALID"],
  ["a negative steps_done", '"embedding_history": h, "steps_done": torch.tensor(-1)', "FORMAT_INVALID"],
  ["no tensor of three dimensions", '"w": h[0].clone()', "TENSOR_NOT_FOUND"],
  ["two nameless candidates", '"a": h, "b": h.clone()', "TENSOR_NOT_FOUND"],
])("%s is refused", async (name, tensors, code) => {
  const path = join(directory, `${name.replaceAll(" ", "-")}.safetensors`);
  save(path, tensors);
  await expect(openHistory(path)).rejects.toMatchObject({ code });
});

test("a named tensor of three dimensions is a history, and a slip names the nearest", async () => {
  const path = join(directory, "moments.safetensors");
  save(path, '"exp_avg": h, "exp_avg_sq": h.clone()');
  const history = await openHistory(path, "exp_avg_sq");
  expect(history.states).toBe(5);
  history.close();
  await expect(openHistory(path, "exp_avgsq")).rejects.toThrow('has no tensor "exp_avgsq"; it has "exp_avg_sq", "exp_avg"');
});

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
