import { join } from "node:path";
import { expect, test } from "vitest";
import { openNpz } from "../../../../src/formats/numpy/npz-file.js";
import { openCheckpoint } from "../../../../src/runs/open-checkpoint.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);

const expected = expectedFrom<Record<string, number[]>>(
  `
import sys, json, zipfile, numpy as np
d = sys.argv[1]; r = np.random.default_rng(0)
arrays = {"wte.weight": r.normal(size=(5, 3)).astype("f4"), "turned": np.asfortranarray(r.normal(size=(4, 2))), "ids": np.arange(6, dtype="i8"), "scalar": np.float32(2.5)}
np.savez(f"{d}/arrays.npz", **arrays)
np.savez_compressed(f"{d}/packed.npz", **arrays)
with zipfile.ZipFile(f"{d}/false.npz", "w") as z: z.writestr("a.npy", b"not an array, but as long as its header has to be")
with zipfile.ZipFile(f"{d}/mixed.npz", "w") as z:
    z.write(f"{d}/arrays.npz", "a.npy"); z.writestr("notes.txt", "x")
print(json.dumps({name: [float(x) for x in array.ravel()] for name, array in arrays.items()}))`,
  directory,
);

test("every array has its name and its numbers", async () => {
  await using checkpoint = await openCheckpoint(file("arrays.npz"));
  expect(checkpoint.kind).toBe("npz");
  expect(checkpoint.tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ["wte.weight", "F32", [5, 3]],
    ["turned", "F64", [4, 2]],
    ["ids", "I64", [6]],
    ["scalar", "F32", []],
  ]);
  for (const name of ["wte.weight", "turned", "scalar"]) {
    const matrix = await checkpoint.matrix(name);
    expect(Array.from({ length: matrix.rows * matrix.columns }, (_, i) => matrix.at(Math.floor(i / matrix.columns), i % matrix.columns))).toEqual(
      expected[name],
    );
  }
});

test.each([
  ["packed.npz", "FORMAT_UNSUPPORTED", "Save its arrays with numpy.savez, not with savez_compressed"],
  ["false.npz", "FORMAT_INVALID", "no .npy file begins here"],
  ["mixed.npz", "FORMAT_INVALID", "no .npy file begins here"],
])("%s is refused with its reason", (name, code, reason) => {
  expect(() => openNpz(file(name))).toThrow(expect.objectContaining({ code, message: expect.stringContaining(reason) }));
});
