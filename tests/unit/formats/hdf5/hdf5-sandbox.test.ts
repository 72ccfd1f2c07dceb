import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { Hdf5Sandbox } from "../../../../src/formats/hdf5/hdf5-sandbox.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

function written(name: string, body: string): FileBytes {
  const path = join(directory, name);
  expectedFrom(`import sys, h5py, numpy as np\nwith h5py.File(sys.argv[1], "w") as f:\n    ${body}\nprint(0)`, path);
  return new FileBytes(path);
}

const names = (sandbox: Hdf5Sandbox) => sandbox.run((module) => module.get_names(sandbox.fileId, "/", false));

test("two files are open side by side, and one goes on when the other is closed", async () => {
  const [a, b] = [written("a.h5", 'f["one"] = np.ones(1)'), written("b.h5", 'f["two"] = np.ones(1)')];
  const [first, second] = [await Hdf5Sandbox.open(a), await Hdf5Sandbox.open(b)];
  expect([names(first), names(second)]).toEqual([["one"], ["two"]]);
  first.close();
  expect(names(second)).toEqual(["two"]);
  second.close();
  for (const file of [a, b]) file.close();
});

test("an attribute is a text of a few letters, or nothing", async () => {
  const file = written(
    "attributes.h5",
    'f["w"] = np.ones(1); a = f["w"].attrs; a["text"] = "bfloat16"; a["number"] = 3; a["long"] = np.bytes_(b"x" * 65); a["list"] = ["a", "b"]',
  );
  const sandbox = await Hdf5Sandbox.open(file);
  expect(["text", "number", "long", "list"].map((name) => sandbox.textAttribute("/w", name))).toEqual(["bfloat16", undefined, undefined, undefined]);
  sandbox.close();
  file.close();
});

test("what is no HDF5 is refused, with the library's own words as the cause and nothing on the terminal", async () => {
  const path = join(directory, "text.h5");
  writeFileSync(path, "not HDF5 at all, whatever its name");
  const file = new FileBytes(path);
  await expect(Hdf5Sandbox.open(file)).rejects.toMatchObject({ message: "the library cannot open it", cause: expect.stringMatching(/HDF5|file signature/) });
  file.close();
});

test("a file that is cut off while it is open gives the error of the reading, not what the library makes of it", async () => {
  const file = written("cut.h5", 'f.create_dataset("w", data=np.arange(2**18), chunks=(2**17,))');
  const sandbox = await Hdf5Sandbox.open(file);
  truncateSync(file.path, 3000);
  const read = () =>
    sandbox.run((module) => {
      const address = module._malloc(2 ** 21);
      try {
        return module.get_dataset_data(sandbox.fileId, "/w", [BigInt(2 ** 18)], [0n], [1n], BigInt(address));
      } finally {
        module._free(address);
      }
    });
  expect(read).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("its HDF5 structures") }));
  sandbox.close();
  file.close();
});
