import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { listDatasets } from "../../../../src/formats/hdf5/hdf5-listing.js";
import { Hdf5Sandbox } from "../../../../src/formats/hdf5/hdf5-sandbox.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

/** What is listed of a file that h5py makes. */
async function listed(name: string, body: string) {
  const path = join(directory, name);
  expectedFrom(`import sys, h5py, numpy as np\nwith h5py.File(sys.argv[1], "w") as f:\n    ${body}\nprint(0)`, path);
  const file = new FileBytes(path);
  const sandbox = await Hdf5Sandbox.open(file);
  try {
    return listDatasets(sandbox);
  } finally {
    sandbox.close();
    file.close();
  }
}

test("datasets are named by their paths, groups and broken links are none", async () => {
  const found = await listed(
    "tree.h5",
    'f["a/b/w"] = np.ones((2, 3), dtype="f4"); f.create_group("empty"); f["gone"] = h5py.SoftLink("/nowhere"); f["v"] = np.ones(2)',
  );
  expect(found.map(({ name, metadata }) => [name, metadata.shape])).toEqual([
    ["a/b/w", [2, 3]],
    ["v", [2]],
  ]);
});

test("filters are told by their numbers: shuffle is 2, gzip 1, fletcher32 3", async () => {
  const [dataset] = await listed("packed.h5", 'f.create_dataset("w", data=np.ones((8, 8)), chunks=(4, 4), shuffle=True, compression="gzip", fletcher32=True)');
  expect(dataset?.filterIds).toEqual([2, 1, 3]);
});

test("an attribute that says bfloat16 is heard; another text, a number and a text that goes on are not", async () => {
  const attributes = ['"bfloat16"', 'np.bytes_(b"bfloat16")', '"float16"', "3", '"bfloat16" * 100'];
  const body = attributes.map((value, index) => `f["w${index}"] = np.ones(2, dtype="u2"); f["w${index}"].attrs["dtype"] = ${value}`).join("; ");
  expect((await listed("attributes.h5", body)).map(({ saysBfloat16 }) => saysBfloat16)).toEqual([true, true, false, false, false]);
});

test("groups are followed 32 deep, and no deeper", async () => {
  const nested = (depth: number) => `f["${"g/".repeat(depth)}w"] = np.ones(1)`;
  expect((await listed("deep.h5", nested(32))).map(({ name }) => name)).toEqual([`${"g/".repeat(32)}w`]);
  await expect(listed("deeper.h5", nested(33))).rejects.toThrow("its groups nest deeper than 32, or hold themselves");
});

test("an empty file has no datasets", async () => {
  expect(await listed("empty.h5", "pass")).toEqual([]);
});
