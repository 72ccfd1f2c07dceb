import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistory } from "../../../src/runs/open-history.js";
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
