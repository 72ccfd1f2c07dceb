import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareFinalModels } from "../../../src/compare/compare-models.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

/** A run with nothing but a final model, as NumPy saves it; `change` is done to its tensors `t` before. */
function run(name: string, change = ""): string {
  const final = join(directory, name, "final");
  mkdirSync(final, { recursive: true });
  const program = `
import sys, numpy as np
from safetensors.numpy import save_file
t = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(2**19, dtype=np.float32).reshape(2**17, 4)}
${change}
save_file(t, sys.argv[1])
print("null")`;
  expectedFrom(program, join(final, "model.safetensors"));
  return join(directory, name);
}

const a = run("a");

test("equal models are equal", () => {
  expect(compareFinalModels(a, run("same"))).toEqual({ equal: true, first: null, reason: null });
});

test("the first other element is told with its place, beyond the first piece that is read", () => {
  const first = { tensor: "b", row: 2 ** 16 + 5, component: 2, a: 262166, b: 262166.5, ulp: 16 };
  expect(compareFinalModels(a, run("other", 't["b"][2**16 + 5, 2] += 0.5'))).toEqual({ equal: false, first, reason: null });
});

test.each([
  ["a tensor less", 'del t["b"]', "b is only in a"],
  ["a tensor more", 't["c"] = np.zeros(1)', "c is only in b"],
  ["another dtype", 't["a"] = t["a"].astype(np.float16)', "a is F32 [2, 3] in a, F16 [2, 3] in b"],
])("%s is told", (name, change, reason) => {
  expect(compareFinalModels(a, run(name, change))).toEqual({ equal: false, first: null, reason });
});

test("a run without a final model equals none", () => {
  expect(compareFinalModels(a, directory)).toEqual({ equal: false, first: null, reason: "there is no final model in b" });
});

test("a flipped bit in a final model is damage, not a difference; a model that its manifest confirms differs", () => {
  const damaged = run("damaged");
  const path = join(damaged, "final/model.safetensors");
  const bytes = readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const files = { "model.safetensors": { size: statSync(path).size, sha256 } };
  writeFileSync(join(damaged, "final/MANIFEST.json"), JSON.stringify({ format: 1, files }));
  expect(compareFinalModels(damaged, run("changed", 't["a"] += 1'))).toMatchObject({ equal: false, first: { tensor: "a" } });
  writeFileSync(path, bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1));
  expect(() => compareFinalModels(a, damaged)).toThrow(expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringContaining(path) }));
});
