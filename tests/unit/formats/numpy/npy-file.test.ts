import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openNpy } from "../../../../src/formats/numpy/npy-file.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
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
