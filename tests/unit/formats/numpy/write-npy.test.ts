import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dtypes } from "../../../../src/formats/matrix.js";
import { isHalf, widened, writeNpy } from "../../../../src/formats/numpy/write-npy.js";
import { brokenTensor, countedInPython, countedTensor } from "../counted-tensor.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

test("every dtype opens in numpy with the same numbers, bfloat16 and float16 as the float32 that holds them", () => {
  for (const dtype of dtypes) writeNpy(join(directory, `${dtype}.npy`), countedTensor("w", dtype, [3, 4, 5]));
  const found = expectedFrom<Record<string, [equal: boolean, kind: string]>>(
    `${countedInPython}
def check(dtype):
    want = expected(dtype, [3, 4, 5]); want = want.float().numpy() if dtype in ("BF16", "F16") else want.numpy()
    got = np.load(f"{sys.argv[1]}/{dtype}.npy")
    return bool(np.array_equal(got, want, equal_nan=got.dtype.kind == "f")), str(got.dtype)
print(json.dumps({d: check(d) for d in names}))`,
    directory,
  );
  const kinds = ["float32", "float32", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"];
  expect(found).toEqual(Object.fromEntries(dtypes.map((dtype, index) => [dtype, [true, kinds[index]]])));
});

test("shapes of one dimension, of many, and of none are numpy's; the data is aligned to 64 bytes", () => {
  const shapes = [[3], [0, 3], [1, 2, 3, 4, 5, 6]];
  for (const [index, shape] of shapes.entries()) writeNpy(join(directory, `shape-${index}.npy`), countedTensor("w", "U8", shape));
  const program = 'import sys, json, numpy as np; print(json.dumps([list(np.load(f"{sys.argv[1]}/shape-{n}.npy").shape) for n in range(3)]))';
  expect(expectedFrom(program, directory)).toEqual(shapes);
  const bytes = readFileSync(join(directory, "shape-0.npy"));
  expect([bytes.length - 3, bytes[127]]).toEqual([128, "\n".charCodeAt(0)]);
});

test("what fails leaves nothing", () => {
  const before = readdirSync(directory);
  expect(() => writeNpy(join(directory, "half.npy"), brokenTensor("w"))).toThrow("the disk is gone");
  expect(readdirSync(directory)).toEqual(before);
});

test("two types are half floats", () => {
  expect(dtypes.filter(isHalf)).toEqual(["BF16", "F16"]);
});

test.each([
  ["BF16", "bfloat16"],
  ["F16", "float16"],
] as const)("every %s that is a number becomes the float32 that torch makes of it, bit for bit", (dtype, name) => {
  const program = `
import sys, json, torch, hashlib
values = torch.arange(2**16, dtype=torch.int32).to(torch.int16).view(getattr(torch, sys.argv[1]))
wide = values[~values.isnan()].float()
print(json.dumps(hashlib.sha256(wide.numpy().tobytes()).hexdigest()))`;
  const [exponent, mantissa] = dtype === "BF16" ? [0x7f80, 0x7f] : [0x7c00, 0x3ff];
  const numbers = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter((bits) => (bits & exponent) !== exponent || (bits & mantissa) === 0);
  expect(
    createHash("sha256")
      .update(widened(dtype, new Uint8Array(numbers.buffer)))
      .digest("hex"),
  ).toBe(expectedFrom(program, name));
});

test("NaN stays NaN, at an odd address too, and nothing stays nothing", () => {
  const bytes = Uint8Array.of(0, 0xc0, 0x7f);
  expect(new Float32Array(widened("BF16", bytes.subarray(1)).buffer)[0]).toBeNaN();
  expect(widened("F16", new Uint8Array())).toHaveLength(0);
});
