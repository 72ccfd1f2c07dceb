import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeHdf5 } from "../../../src/formats/hdf5/write-hdf5.js";
import { type Dtype, itemSizes } from "../../../src/formats/matrix.js";
import { writeNpy } from "../../../src/formats/numpy/write-npy.js";
import type { RowSource } from "../../../src/formats/row-source.js";
import { RowTokens } from "../../../src/formats/row-tokens.js";
import { type WritableTensor, writeSafetensors } from "../../../src/formats/safetensors/write-safetensors.js";
import { writeCsv } from "../../../src/formats/write-csv.js";
import { openCheckpoint } from "../../../src/runs/open-checkpoint.js";
import { expectedFrom, temporaryDirectory } from "./reference-python.js";

const directory = temporaryDirectory();

/** The bytes 1, 2, 3, … seen as elements; of booleans, 0 and 1. */
function tensor(name: string, dtype: Dtype, shape: readonly number[]): WritableTensor {
  const columns = shape.at(-1) ?? 1;
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = Uint8Array.from({ length: count * itemSizes[dtype] }, (_, index) => (dtype === "BOOL" ? index % 2 : ((index * 7) % 120) + 1));
  const rowBytes = columns * itemSizes[dtype];
  const rows: RowSource = {
    source: "memory",
    dtype,
    rows: count / columns,
    columns,
    read: (first, rowCount, target) => target.set(bytes.subarray(first * rowBytes, (first + rowCount) * rowBytes)),
  };
  return { name, shape, rows };
}

const dtypes: readonly Dtype[] = ["BF16", "F16", "F32", "F64", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL"];
/** How the reference libraries see the same bytes: torch's names. */
const torchNames =
  "dict(BF16='bfloat16',F16='float16',F32='float32',F64='float64',I8='int8',U8='uint8',I16='int16',U16='uint16',I32='int32',U32='uint32',I64='int64',U64='uint64',BOOL='bool')";
const reference = `
import sys, json, torch, numpy as np
names = ${torchNames}
def expected(dtype, shape):
    n = int(np.prod(shape)); t = getattr(torch, names[dtype])
    raw = [i % 2 for i in range(n)] if dtype == "BOOL" else [(i * 7) % 120 + 1 for i in range(n * torch.empty(0, dtype=t).element_size())]
    return torch.tensor(raw, dtype=torch.uint8).view(t).reshape(shape)
`;

test("safetensors opens in the real library with the same bits", async () => {
  const path = join(directory, "all.safetensors");
  writeSafetensors(path, [...dtypes.map((dtype) => tensor(dtype, dtype, [3, 4, 5])), tensor("F32 vector", "F32", [3])], { note: "é" });
  const result = expectedFrom<{ equal: boolean[]; metadata: Record<string, string>; aligned: boolean }>(
    `${reference}
from safetensors import safe_open
with safe_open(sys.argv[1], "pt") as f:
    got = {k: f.get_tensor(k) for k in f.keys()}; metadata = f.metadata()
pairs = [(got[k], expected(k.split()[0], list(got[k].shape))) for k in got]
print(json.dumps({"equal": [a.dtype == b.dtype and a.numpy(force=True).tobytes() == b.numpy(force=True).tobytes() if a.dtype != torch.bfloat16 else torch.equal(a.view(torch.int16), b.view(torch.int16)) for a, b in pairs], "metadata": metadata, "aligned": int.from_bytes(open(sys.argv[1], "rb").read(8), "little") % 8 == 0}))`,
    path,
  );
  expect(result).toEqual({ equal: new Array(14).fill(true), metadata: { format: "pt", note: "é" }, aligned: true });
});

test.each(dtypes)("%s: .npy and HDF5 open in numpy and h5py with the same numbers", async (dtype) => {
  const shape = [3, 4, 5];
  const paths = ["npy", "h5"].map((extension) => join(directory, `${dtype}.${extension}`));
  writeNpy(paths[0] ?? "", tensor("w", dtype, shape));
  await writeHdf5(paths[1] ?? "", tensor("w", dtype, shape));
  const result = expectedFrom<{ npy: boolean; hdf5: boolean; kinds: string[]; attribute: string | null }>(
    `${reference}
import h5py
want = expected(sys.argv[3], [3, 4, 5]); numbers = want.double().numpy() if sys.argv[3] not in ("I64", "U64") else want.numpy()
a = np.load(sys.argv[1])
with h5py.File(sys.argv[2]) as f: w = f["W"][:]; attribute = f["W"].attrs.get("dtype"); chunks = f["W"].chunks; filters = f["W"].compression
assert chunks == (1, 4, 5) and filters == "gzip"
h = torch.tensor(w.view(np.int16)).view(torch.bfloat16).double().numpy() if attribute == "bfloat16" else w
print(json.dumps({"npy": bool(np.array_equal(a, numbers, equal_nan=a.dtype.kind == "f")), "hdf5": bool(np.array_equal(h, numbers, equal_nan=h.dtype.kind == "f")), "kinds": [str(a.dtype), str(w.dtype)], "attribute": attribute}))`,
    ...paths,
    dtype,
  );
  expect(result).toMatchObject({ npy: true, hdf5: true, attribute: dtype === "BF16" ? "bfloat16" : null });
  if (dtype === "BF16") expect(result.kinds).toEqual(["float32", "uint16"]);
});

test("a matrix in HDF5 larger than one chunk is read back to the same bytes", async () => {
  const path = join(directory, "matrix.h5");
  const written = tensor("w", "F32", [1000, 700]);
  await writeHdf5(path, written);
  await using checkpoint = await openCheckpoint(path);
  const expected = new Uint8Array(1000 * 700 * 4);
  written.rows.read(0, 1000, expected);
  const { bytes } = await checkpoint.matrix("W");
  expect(Buffer.compare(bytes, expected)).toBe(0);
});

test("shapes of one dimension and of none are numpy's", async () => {
  writeNpy(join(directory, "vector.npy"), tensor("v", "F32", [3]));
  writeNpy(join(directory, "empty.npy"), tensor("e", "F32", [0, 3]));
  const program = 'import sys, json, numpy as np; print(json.dumps([list(np.load(f"{sys.argv[1]}/{n}.npy").shape) for n in ("vector", "empty")]))';
  expect(expectedFrom(program, directory)).toEqual([[3], [0, 3]]);
});

test("CSV has a line a token and every number to its last digit", async () => {
  const path = join(directory, "w.csv");
  const values = Float32Array.of(0.1, -2.5, Number.NaN, Number.POSITIVE_INFINITY, 1e-45, 16777217);
  const rows: RowSource = {
    source: "memory",
    dtype: "F32",
    rows: 3,
    columns: 2,
    rowTokens: new RowTokens({ vocabulary: 43, ids: [40, 42, 41] }),
    read: (first, count, target) => target.set(new Uint8Array(values.buffer, first * 8, count * 8)),
  };
  writeCsv(path, rows);
  expect(readFileSync(path, "utf8")).toBe("token,0,1\n40,0.10000000149011612,-2.5\n42,nan,inf\n41,1.401298464324817e-45,16777216\n");
  const parsed = 'import sys, json, numpy as np; print(json.dumps(np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)[:, 1:].astype("f4").tobytes().hex()))';
  expect(expectedFrom(parsed, path)).toBe(Buffer.from(values.buffer).toString("hex"));
});

test("integers of 64 bits keep every digit in CSV", async () => {
  const path = join(directory, "i64.csv");
  const values = BigInt64Array.of(9007199254740993n, -9223372036854775808n);
  writeCsv(path, { source: "memory", dtype: "I64", rows: 1, columns: 2, read: (_first, _count, target) => target.set(new Uint8Array(values.buffer)) });
  expect(readFileSync(path, "utf8")).toBe("token,0,1\n0,9007199254740993,-9223372036854775808\n");
});
