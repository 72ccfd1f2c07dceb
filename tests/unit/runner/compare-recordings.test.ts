import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareRecordings, compareResults } from "../../../src/runner/compare-recordings.js";
import type { TrainResult } from "../../../src/runner/train-result.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A run with nothing but histories of 4 states, 3 tokens, 2 dims, as NumPy saves them; `change` is done to the tensors `h` and `g` before. */
function run(name: string, change = "", hasGradient = true): string {
  const path = join(directory, name);
  mkdirSync(path);
  const program = `
import sys, numpy as np
from safetensors.numpy import save_file
h = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
g = (h / 8).astype(np.float16)
${change}
save_file({"embedding_history": h}, sys.argv[1] + "/history.safetensors")
${hasGradient ? 'save_file({"wte.grad": g}, sys.argv[1] + "/history.wte.grad.safetensors")' : ""}
print("null")`;
  expectedFrom(program, path);
  return path;
}

const a = run("a");

test("everything that both recorded is compared, and what one alone has is left out", async () => {
  const equal = { equal: true, first: null, equalTo: 3, reason: null };
  expect(await compareRecordings(a, run("same"))).toEqual(equal);
  expect(await compareRecordings(a, run("without-gradient", "", false))).toEqual(equal);
});

test("the earliest difference of all tensors is the first", async () => {
  const other = run("other", "h[3, 0, 0] = 0; g[2, 1, 0] = 0");
  const first = { step: 2, tensor: "wte.grad", token: 1, component: 0, a: 1.75, b: 0, ulp: 0x3f00 };
  expect(await compareRecordings(a, other)).toEqual({ equal: false, first, equalTo: 1, reason: null });
});

test("why a tensor cannot be compared is told with its name", async () => {
  expect(await compareRecordings(a, run("narrow", "h = h[:, :, :1].copy()"))).toMatchObject({
    equal: false,
    first: null,
    reason: "wte: a has 2 components, b has 1",
  });
});

const result = (seconds: number, status: TrainResult["status"] = "completed") => ({ seconds, status }) as TrainResult;
const measures = { seconds: ({ seconds }: TrainResult) => seconds, status: ({ status }: TrainResult) => status };

test("measures stand side by side with their distance from the first run", () => {
  expect(compareResults([result(4), result(5), result(3)], measures)[0]).toEqual({
    path: "seconds",
    values: [4, 5, 3],
    difference: [0, 1, -1],
    relative: [0, 0.25, -0.25],
  });
});

test("text has no distance, and nothing is a part of zero but zero", () => {
  const [seconds, status] = compareResults([result(0), result(0), result(2, "failed")], measures);
  expect(seconds).toMatchObject({ difference: [0, 0, 2], relative: [0, 0, null] });
  expect(status).toEqual({ path: "status", values: ["completed", "completed", "failed"], difference: [null, null, null], relative: [null, null, null] });
});
