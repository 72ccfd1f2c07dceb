import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Matrix, type RowSource } from "../../../src/formats/matrix.js";
import type { StoredTensor } from "../../../src/formats/stored-tensor.js";
import { historyLabels, recordedStates } from "../../../src/runs/history-labels.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { memorySource } from "../analysis/memory-source.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { writeRun, writtenRows } from "../serve/written-run.js";

const source = (path: string): RowSource => ({ source: path, dtype: "BF16", rows: 1, columns: 1, raw: { path, offset: 0 }, read: () => undefined });
const steps = 3;

test("beside a run's history its index says the steps, and its configuration the tokens", async () => {
  const path = join(writeRun({ folder: temporaryDirectory(), id: "a", steps }), "history.safetensors");
  const { steps: told, rowTokens } = await historyLabels(source(path), writtenRows);
  expect([told ?? [0, 1, 2, 3], rowTokens.ofRow(5), rowTokens.vocabulary]).toEqual([[0, 1, 2, 3], 5, writtenRows]);
  expect(rowTokens.text?.(65)).toBe("A");
});

test("rows that are not as many as the configuration says are refused with both numbers", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps });
  writeFileSync(join(run, "config.json"), JSON.stringify({ record: { rows: [1, 5, 7] } }));
  const path = join(run, "history.safetensors");
  expect((await historyLabels(source(path), 3)).rowTokens.ids).toEqual([1, 5, 7]);
  await expect(historyLabels(source(path), 5)).rejects.toMatchObject({
    code: "FORMAT_INVALID",
    message: expect.stringContaining("its states have 5 rows, but by its config.json 3 tokens were recorded"),
  });
});

test("elsewhere, and in memory, state i is step i and row i is token i", async () => {
  const folder = temporaryDirectory();
  const run = writeRun({ folder, id: "a", steps });
  cpSync(join(run, "history.safetensors"), join(folder, "history.safetensors.copy"));
  for (const at of [source(join(folder, "history.safetensors.copy")), { ...source("memory"), raw: undefined } as unknown as RowSource]) {
    const labels = await historyLabels(at, 5);
    expect(labels).not.toHaveProperty("steps");
    expect([labels.rowTokens.count, labels.rowTokens.ofRow(4)]).toEqual([5, 4]);
  }
});

test("a run without a configuration beside its history has a row for each token", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps });
  rmSync(join(run, "config.json"));
  expect((await historyLabels(source(join(run, "history.safetensors")), 5)).rowTokens.count).toBe(5);
});

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
