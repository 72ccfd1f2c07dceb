import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { planRerecording, type RerecordOptions, rerecord, writeHistory } from "../../../src/compare/rerecord.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { memoryHistory } from "../analysis/memory-source.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { writeModel } from "../runs/written-model.js";
import { deadRows, writeRun, writtenRows } from "../serve/written-run.js";

const written = () => writeRun({ folder: temporaryDirectory(), id: "a", steps: 4 });
const plan = (options: Partial<RerecordOptions>, directory = written()) => planRerecording(directory, { tensors: ["wte.grad"], ...options });

test("all steps are recorded later, from the run's start, with the tensors that it has and the new ones once each", async () => {
  expect(await plan({ tensors: ["wte.grad", "wte.exp_avg", "wte.grad"] })).toMatchObject({
    from: 0,
    until: 4,
    tensors: ["wte.grad", "wte.exp_avg"],
    tokens: undefined,
    checkpoint: undefined,
    record: { tensors: ["wte", "wte.grad", "wte.exp_avg"] },
  });
});

test("chosen steps go on from the checkpoint before them", async () => {
  const directory = written();
  const checkpoint = join(directory, "checkpoints", "step-000002");
  writeModel(checkpoint);
  expect(await plan({ steps: [3, 4] }, directory)).toMatchObject({ from: 3, until: 4, checkpoint });
  expect(await plan({ steps: [2, 3] }, directory)).toMatchObject({ checkpoint: undefined });
});

test("rows are those of tokens in order, once each; the run's own are recorded too, to be verified", async () => {
  expect(await plan({ rows: [9, 3, 9] })).toMatchObject({ tokens: [3, 9], record: { rows: "all" } });
  expect((await plan({ rows: "dead" })).tokens).toEqual(deadRows);
  expect((await plan({ rows: "all" })).tokens).toHaveLength(writtenRows);
});

test.each<[what: string, options: Partial<RerecordOptions>, message: RegExp]>([
  ["a tensor that the run has", { tensors: ["wte"] }, /has already recorded wte in every recorded step: there is nothing to add/],
  ["steps that run backwards", { steps: [3, 2] }, /the steps 3\.\.2 run backwards/],
  ["steps beyond the last", { steps: [3, 5] }, /has recorded the steps 0 to 4, not 3\.\.5/],
  ["a token beyond the vocabulary", { rows: [128] }, /has the tokens 0 to 127, not 128/],
])("%s is refused before anything starts", async (_, options, message) => {
  await expect(plan(options)).rejects.toMatchObject({ code: "USAGE", message: expect.stringMatching(message) });
});

test("what was recorded later before is not recorded again", async () => {
  const directory = written();
  const history = memoryHistory("BF16", [2, writtenRows, 1], new Uint8Array(2 * writtenRows * 2));
  writeHistory(join(directory, "history.wte.grad.1-2.safetensors"), "wte.grad.1-2", {
    history: { ...history, steps: [1, 2] },
    first: 0,
    count: 2,
    lossOf: () => 1,
  });
  await expect(plan({ steps: [1, 2] }, directory)).rejects.toMatchObject({
    code: "USAGE",
    message: `${join(directory, "history.wte.grad.1-2.safetensors")} already exists: these steps of wte.grad were recorded later before`,
  });
  expect(await plan({ steps: [1, 3] }, directory)).toMatchObject({ from: 1, until: 3 });
});

test.each([{ tensors: [] }, { tensors: [""] }, { tensors: ["wte.grad"], steps: [-1, 2] }])("%j is refused", async (options) => {
  await expect(rerecord(written(), options as never)).rejects.toMatchObject({ code: "USAGE" });
});

const directory = temporaryDirectory();
const numbers = Float32Array.from({ length: 5 * 3 * 2 }, (_, index) => index - 7.5);
const bytes = new Uint8Array(numbers.buffer);
const stateBytes = 3 * 2 * 4;
const history = {
  ...{ source: "memory", dtype: "F32" as const, states: 5, tokens: 3, dims: 2, steps: [10, 20, 30, 40, 45], rowTokens: RowTokens.all(3) },
  read: (first: number, count: number, target: Uint8Array) => target.set(bytes.subarray(first * stateBytes, (first + count) * stateBytes)),
  close: () => undefined,
};
const path = join(directory, "history.wte.grad.20-40.safetensors");
writeHistory(path, "wte.grad.20-40", { history, first: 1, count: 3, lossOf: (step) => step / 8 });

test("Python reads it as safetensors, and its index record by record, as docs/run-directory.md describes them", () => {
  const read = expectedFrom(
    `
import json, struct, sys, zlib, numpy as np
from safetensors import safe_open
path = sys.argv[1]
with safe_open(path, "np") as file:
    states, done = file.get_tensor("wte.grad.20-40"), int(file.get_tensor("steps_done"))
index = open(path.replace(".safetensors", ".idx"), "rb").read()
records = [struct.unpack_from("<QIId", index, at * 24) for at in range(len(index) // 24)]
crcs = [zlib.crc32(state.tobytes()) for state in states]
own = [zlib.crc32(index[at * 24:][:12] + index[at * 24 + 16:][:8]) for at in range(len(records))]
print(json.dumps({"states": states.flatten().tolist(), "shape": states.shape, "done": done, "steps": [r[0] for r in records], "losses": [r[3] for r in records],
    "sound": [r[1] for r in records] == crcs and [r[2] for r in records] == own}))`,
    path,
  );
  expect(read).toEqual({
    ...{ states: [...numbers.subarray(6, 24)], shape: [3, 3, 2], done: 2 },
    ...{ steps: [20, 30, 40], losses: [2.5, 3.75, 5], sound: true },
  });
});

test("we read it with its steps", async () => {
  const opened = await openHistory(path);
  const state = new Uint8Array(stateBytes);
  opened.read(2, 1, state);
  expect([opened.states, [...state]]).toEqual([3, [...bytes.subarray(3 * stateBytes, 4 * stateBytes)]]);
  opened.close();
});

test("a history that is there is not replaced", () => {
  const before = readFileSync(path);
  expect(() => writeHistory(path, "x", { history, first: 0, count: 1, lossOf: () => 0 })).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE" }));
  expect(readFileSync(path)).toEqual(before);
});
