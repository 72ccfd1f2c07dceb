import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistory } from "../../../src/runs/open-history.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A run of 8 tokens with one history of 3 rows, as Python would write it, with these tensors beside it. */
function run(name: string, beside: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  writeFileSync(join(path, "config.json"), JSON.stringify({ model: { vocab_size: 8, n_embd: 2, n_head: 1 } }));
  const program = `
import sys, numpy as np
from safetensors.numpy import save_file
h = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
save_file({"wte.grad.0-3": h, ${beside}}, sys.argv[1])
print("null")`;
  expectedFrom(program, join(path, "history.wte.grad.0-3.safetensors"));
  writeFileSync(join(path, "history.safetensors"), ""); // what makes it a run
  return join(path, "history.wte.grad.0-3.safetensors");
}

test("a history says itself which tokens its rows are, and how many states count", async () => {
  const history = await openHistory(run("both", '"tokens": np.array([1, 5, 7]), "steps_done": np.array(1)'));
  history.close();
  expect([history.rowTokens.ids, history.rowTokens.vocabulary, history.states]).toEqual([[1, 5, 7], 8, 2]);
});

test("tokens that are not as many as the rows are something else", async () => {
  await expect(openHistory(run("other", '"tokens": np.array([1, 5])'))).resolves.toMatchObject({ rowTokens: { ids: undefined } });
});
