import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { writeHistory } from "../../../src/runs/write-history.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

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
