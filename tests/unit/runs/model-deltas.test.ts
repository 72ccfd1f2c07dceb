import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type ModelTensor, openModelDeltas, recordedWeightBytes, uncommittedWeights, verifyModelDeltas } from "../../../src/runs/model-deltas.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

/** Writes random bits in every width as docs/run-directory.md describes it, without bh_bridge, and prints the bits of each step. */
const writer = `
import json, struct, sys, zlib
from pathlib import Path
import numpy as np
run, steps, first, key_every = Path(sys.argv[1]), 9, 5, 4
random = np.random.default_rng(7)
words = [[8, 3], [4, 6], [2, 5], [1, 2]]
tensors = [("count", "I64", [3], 0), ("w", "F32", [2, 3], 24), ("h", "F16", [], 48), ("b", "BF16", [2, 2], 50), ("on", "BOOL", [2], 58)]
special = {4: [0x7F800001, 0x80000000, 0xFFFFFFFF], 2: [0x7F81, 0x8000, 0xFFFF]}
text = json.dumps({"format": "bh-bridge/deltas@1", "key_every": key_every, "words": words,
    "tensors": [dict(zip(("name", "dtype", "shape", "offset"), t)) for t in tensors], "tied": {"head": "w"}}).encode()
data, index, before, expected = bytearray(struct.pack("<II", len(text), zlib.crc32(text)) + text), b"", None, []
for step in range(steps):
    state = [random.integers(0, 2 ** (8 * width), count, dtype=f"<u{width}") for width, count in words]
    for each in state:
        each[: len(special.get(each.itemsize, []))] = special.get(each.itemsize, [])
        if step % 2: each[0] = 1
    raw = b"".join(each.tobytes() for each in state)
    order = []
    for each in state:
        bits = 8 * each.itemsize
        order.append([int(v) if v < 2 ** (bits - 1) else int(v) ^ (2 ** (bits - 1) - 1) for v in each.tolist()])
    planes = b""
    for i, (width, count) in enumerate(words):
        bits, numbers = 8 * width, []
        for j in range(count):
            d = (order[i][j] - (0 if step % key_every == 0 else before[i][j])) % 2**bits
            d -= 2**bits if d >= 2 ** (bits - 1) else 0
            numbers.append(2 * d if d >= 0 else -2 * d - 1)
        planes += b"".join(bytes((n >> 8 * p) & 255 for n in numbers) for p in range(width))
    frame, before = zlib.compress(planes), order
    record = struct.pack("<QQIII", first + step, len(data), len(frame), zlib.crc32(frame), zlib.crc32(raw))
    index += record + struct.pack("<I", zlib.crc32(record))
    data += frame
    expected.append({name: raw[o : o + int(np.prod(shape)) * {"I64": 8, "F32": 4, "F16": 2, "BF16": 2, "BOOL": 1}[dtype]].hex() for name, dtype, shape, o in tensors})
count = struct.pack("<I", steps)
(run / "model.idx").write_bytes(count + struct.pack("<I", zlib.crc32(count)) + index)
(run / "model.deltas").write_bytes(data)
print(json.dumps(expected))
`;

function written(): { run: string; states: Record<string, string>[] } {
  const run = temporaryDirectory();
  mkdirSync(run, { recursive: true });
  return { run, states: expectedFrom(writer, run) };
}

const hexOf = (tensors: readonly ModelTensor[]) => Object.fromEntries(tensors.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("hex")]));

test("each step has the bits that numpy wrote, in any order of reading", () => {
  const { run, states } = written();
  using deltas = openModelDeltas(run);
  expect(deltas).toMatchObject({ firstStep: 5, lastStep: 13, tied: new Map([["head", "w"]]) });
  expect(deltas?.tensors.map(({ dtype, shape }) => [dtype, shape])).toEqual([
    ["I64", [3]],
    ["F32", [2, 3]],
    ["F16", []],
    ["BF16", [2, 2]],
    ["BOOL", [2]],
  ]);
  for (const step of [13, 5, 6, 7, 12, 6, 9, 9, 10, 8, 11]) expect(hexOf(deltas?.at(step) ?? [])).toEqual(states[step - 5]);
  for (const step of [4, 14, 5.5]) expect(() => deltas?.at(step)).toThrow(/has the weights of steps 5 to 13, not of step/);
});

test("a run without recorded weights, or without a committed step, has none", () => {
  const run = temporaryDirectory();
  expect(openModelDeltas(run)).toBeUndefined();
  for (const index of ["", "\0\0\0\0\0\0\0\0"]) {
    writeFileSync(join(run, "model.idx"), index);
    expect(openModelDeltas(run)).toBeUndefined();
  }
});

test("a flipped bit anywhere is found, and one in a frame is named by its step", () => {
  const { run } = written();
  expect(verifyModelDeltas(run)).toEqual([]);
  for (const name of ["model.deltas", "model.idx"]) {
    const whole = readFileSync(join(run, name));
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
      writeFileSync(join(run, name), damaged);
      expect(verifyModelDeltas(run), `${name}, byte ${at}`).toEqual([expect.stringMatching(/is damaged/)]);
    }
    const last = Buffer.from(whole);
    last.writeUInt8(last.readUInt8(last.length - 1) ^ 1, last.length - 1);
    writeFileSync(join(run, name), last);
    expect(verifyModelDeltas(run)).toEqual([expect.stringMatching(name === "model.deltas" ? /the frame of step 13, at byte \d+/ : /record 8/)]);
    writeFileSync(join(run, name), whole);
  }
});

test("what follows the committed frames does not count, and missing bytes are damage", () => {
  const { run, states } = written();
  for (const name of ["model.deltas", "model.idx"]) writeFileSync(join(run, name), "half a frame", { flag: "a" });
  using deltas = openModelDeltas(run);
  expect(hexOf(deltas?.at(13) ?? [])).toEqual(states[8]);
  expect(verifyModelDeltas(run)).toEqual([]);
  expect(uncommittedWeights(run)).toMatch(/mean nothing/);
  for (const name of ["model.deltas", "model.idx"]) {
    const whole = readFileSync(join(run, name));
    truncateSync(join(run, name), whole.length - "half a frame".length - 1);
    expect(verifyModelDeltas(run)).toEqual([expect.stringMatching(/is damaged/)]);
    writeFileSync(join(run, name), whole);
  }
});

test("the bytes of the rest are estimated from those of the recorded steps", () => {
  const { run } = written();
  expect(uncommittedWeights(run)).toBeUndefined();
  expect(recordedWeightBytes(run, 9)).toBe(2 * statSync(join(run, "model.deltas")).size);
  expect(recordedWeightBytes(temporaryDirectory(), 9)).toBe(0);
});
