import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dtypes } from "../../../../src/formats/matrix.js";
import { openSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { writeSafetensors } from "../../../../src/formats/safetensors/write-safetensors.js";
import { brokenTensor, countedInPython, countedTensor } from "../counted-tensor.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

test("the file opens in the real library with the same bits, whatever the dtype", () => {
  const path = join(directory, "all.safetensors");
  writeSafetensors(path, [...dtypes.map((dtype) => countedTensor(dtype, dtype, [3, 4, 5])), countedTensor("F32 vector", "F32", [3])], { note: "é" });
  const result = expectedFrom<{ equal: boolean[]; metadata: Record<string, string>; aligned: boolean }>(
    `${countedInPython}
from safetensors import safe_open
with safe_open(sys.argv[1], "pt") as f:
    got = {k: f.get_tensor(k) for k in f.keys()}; metadata = f.metadata()
pairs = [(got[k], expected(k.split()[0], list(got[k].shape))) for k in got]
print(json.dumps({"equal": [a.dtype == b.dtype and a.numpy(force=True).tobytes() == b.numpy(force=True).tobytes() if a.dtype != torch.bfloat16 else torch.equal(a.view(torch.int16), b.view(torch.int16)) for a, b in pairs], "metadata": metadata, "aligned": int.from_bytes(open(sys.argv[1], "rb").read(8), "little") % 8 == 0}))`,
    path,
  );
  expect(result).toEqual({ equal: new Array(14).fill(true), metadata: { format: "pt", note: "é" }, aligned: true });
});

test("no tensors, and one without elements, are a file too", () => {
  const path = join(directory, "empty.safetensors");
  writeSafetensors(path, [countedTensor("none", "F32", [0, 3])]);
  const file = openSafetensors(path);
  expect(file.tensors).toMatchObject([{ name: "none", shape: [0, 3], bytes: 0 }]);
  file.close();
  writeSafetensors(join(directory, "nothing.safetensors"), []);
  expect(
    expectedFrom(
      "import sys, json\nfrom safetensors import safe_open\nprint(json.dumps(list(safe_open(sys.argv[1], 'pt').keys())))",
      join(directory, "nothing.safetensors"),
    ),
  ).toEqual([]);
});

test("what is there is not overwritten, and what fails leaves nothing", () => {
  const path = join(directory, "there.safetensors");
  writeFileSync(path, "years of work");
  expect(() => writeSafetensors(path, [countedTensor("w", "F32", [1, 1])])).toThrow(expect.objectContaining({ code: "FILE_UNWRITABLE" }));
  expect(readFileSync(path, "utf8")).toBe("years of work");
  const before = readdirSync(directory);
  expect(() => writeSafetensors(join(directory, "half.safetensors"), [countedTensor("a", "F32", [1, 1]), brokenTensor("b")])).toThrow("the disk is gone");
  expect(readdirSync(directory)).toEqual(before);
  expect(existsSync(join(directory, "half.safetensors"))).toBe(false);
});
