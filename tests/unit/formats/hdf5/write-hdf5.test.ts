import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeHdf5 } from "../../../../src/formats/hdf5/write-hdf5.js";
import { dtypes } from "../../../../src/formats/matrix.js";
import { openCheckpoint } from "../../../../src/runs/open-run-directory.js";
import { brokenTensor, countedInPython, countedTensor } from "../counted-tensor.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

test("every dtype opens in h5py with the same numbers, a gzipped chunk a state; bfloat16 as its bits, which an attribute says", async () => {
  for (const dtype of dtypes) await writeHdf5(join(directory, `${dtype}.h5`), countedTensor("w", dtype, [3, 4, 5]));
  const found = expectedFrom<Record<string, unknown>>(
    `${countedInPython}
import h5py
def check(dtype):
    want = expected(dtype, [3, 4, 5]); want = want.numpy() if dtype in ("I64", "U64") else want.double().numpy()
    with h5py.File(f"{sys.argv[1]}/{dtype}.h5") as f: w = f["W"][:]; attribute = f["W"].attrs.get("dtype"); packed = [list(f["W"].chunks), f["W"].compression]
    got = torch.tensor(w.view(np.int16)).view(torch.bfloat16).double().numpy() if attribute == "bfloat16" else w
    return [bool(np.array_equal(got, want, equal_nan=got.dtype.kind == "f")), str(w.dtype) if dtype == "BF16" else None, attribute, *packed]
print(json.dumps({d: check(d) for d in names}))`,
    directory,
  );
  const expected = (dtype: string) => [true, dtype === "BF16" ? "uint16" : null, dtype === "BF16" ? "bfloat16" : null, [1, 4, 5], "gzip"];
  expect(found).toEqual(Object.fromEntries(dtypes.map((dtype) => [dtype, expected(dtype)])));
});

test("a matrix larger than one chunk is read back to the same bytes", async () => {
  const path = join(directory, "matrix.h5");
  const written = countedTensor("w", "F32", [1000, 700]);
  await writeHdf5(path, written);
  await using checkpoint = await openCheckpoint(path);
  const expected = new Uint8Array(1000 * 700 * 4);
  written.rows.read(0, 1000, expected);
  const { bytes } = await checkpoint.matrix("W");
  expect(Buffer.compare(bytes, expected)).toBe(0);
});

test("what is there is not overwritten, and what fails leaves nothing", async () => {
  const path = join(directory, "there.h5");
  await writeHdf5(path, countedTensor("w", "F32", [1, 1]));
  await expect(writeHdf5(path, countedTensor("w", "F32", [1, 1]))).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  const before = readdirSync(directory);
  await expect(writeHdf5(join(directory, "half.h5"), brokenTensor("w"))).rejects.toThrow();
  expect(readdirSync(directory)).toEqual(before);
});
