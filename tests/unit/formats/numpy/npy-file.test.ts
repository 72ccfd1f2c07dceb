import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openNpy, openNpz } from "../../../../src/formats/numpy/npy-file.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { openCheckpoint } from "../../../../src/runs/open-run-directory.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

const arrays = expectedFrom<{ name: string; shape: number[]; values: number[] }[]>(
  `
import sys, json, numpy as np
values = np.array([[0, 1, 2.5], [3, 100, 7.125]])
arrays = {n.strip("<|"): values.astype(n) for n in ("<f2", "<f4", "<f8", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "|b1")}
arrays["fortran"] = np.asfortranarray(np.arange(24.).reshape(2, 3, 4))
arrays["scalar"] = np.float64(5); arrays["vector"] = np.arange(3.); arrays["empty"] = np.zeros((0, 3))
out = []
for name, a in arrays.items():
    a = np.asanyarray(a)
    with open(f"{sys.argv[1]}/{name}.npy", "wb") as f: np.lib.format.write_array(f, a, version=(3, 0) if name == "vector" else None)
    out.append({"name": name, "shape": list(a.shape), "values": a.astype("f8").ravel().tolist()})
np.save(f"{sys.argv[1]}/big-endian", np.zeros(2, dtype=">f4")); np.save(f"{sys.argv[1]}/objects", np.array([{}]), allow_pickle=True)
np.save(f"{sys.argv[1]}/records", np.zeros(2, dtype=[("a", "i4")])); np.save(f"{sys.argv[1]}/texts", np.array(["a"]))
print(json.dumps(out))`,
  directory,
);

test.each(arrays)("$name $shape", ({ name, shape, values }) => {
  const file = openNpy(join(directory, `${name}.npy`));
  const [tensor] = file.tensors;
  expect(tensor).toMatchObject({ name: "array", shape, file: `${name}.npy` });
  expect(tensor && [...readMatrix(tensor).toFloat64()]).toEqual(values);
  file.close();
});

test.each(["big-endian", "objects", "records", "texts"])("an array of %s is refused by its type", (name) => {
  expect(() => openNpy(join(directory, `${name}.npy`))).toThrow(/holds elements of the type .+ Convert them/);
});

describe("hostile headers are typed errors", () => {
  const header = (text: string, dataBytes: number, version = 1): Buffer => {
    const length = Buffer.alloc(version === 1 ? 2 : 4);
    length.writeUIntLE(text.length, 0, length.length);
    return Buffer.concat([Buffer.from([0x93, ...Buffer.from("NUMPY"), version, 0]), length, Buffer.from(text), Buffer.alloc(dataBytes)]);
  };
  const dict = (shape: string): string => `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }\n`;
  test.each<[string, Buffer, string]>([
    ["a size beyond the file", header(dict("(3,)"), 4), "FORMAT_INVALID"],
    ["bytes after the array", header(dict("(1,)"), 5), "FORMAT_INVALID"],
    ["a size of 2^80", header(dict("(1208925819614629174706176,)"), 4), "FORMAT_INVALID"],
    ["a negative size", header(dict("(-1,)"), 4), "FORMAT_INVALID"],
    ["code for a shape", header(dict("__import__('os').system('true')"), 4), "FORMAT_INVALID"],
    ["no dict", header("[]", 4), "FORMAT_INVALID"],
    ["a header that ends nowhere", Buffer.from([0x93, ...Buffer.from("NUMPY"), 2, 0, 255, 255, 255, 255]), "FORMAT_INVALID"],
    ["version 9", header(dict("(1,)"), 4, 9), "FORMAT_UNSUPPORTED"],
  ])("%s", (name, bytes, code) => {
    const path = join(directory, `${name.replaceAll(/\W/g, "-")}.npy`);
    writeFileSync(path, bytes);
    expect(() => openNpy(path)).toThrow(expect.objectContaining({ code }));
  });
});

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
