import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openTensorFile } from "../../../src/formats/open-tensor-file.js";
import { readMatrix } from "../../../src/formats/stored-tensor.js";
import { expectedFrom, temporaryDirectory } from "./reference-python.js";
import { handmadeSafetensors } from "./safetensors/handmade-safetensors.js";

const directory = temporaryDirectory();

beforeAll(() => {
  expectedFrom(
    `
import os, sys, h5py, json, numpy as np, torch
from safetensors.numpy import save_file
os.chdir(sys.argv[1])
w = np.array([[1, 2], [3, 4]], dtype="f4")
save_file({"w": w}, "a.safetensors")
torch.save({"w": torch.tensor(w)}, "b.pt"); torch.save({"w": torch.tensor(w)}, "shard.bin")
np.save("c.npy", w); np.savez("d.npz", w=w)
with h5py.File("e.h5", "w") as f: f["w"] = w
json.dump({"weight_map": {"w": "a.safetensors"}}, open("model.safetensors.index.json", "w"))
json.dump({"weight_map": {"w": "shard.bin"}}, open("pytorch_model.bin.index.json", "w"))
print(0)`,
    directory,
  );
});

test.each([
  ["a.safetensors", "safetensors", "w", "a.safetensors"],
  ["model.safetensors.index.json", "safetensors-index", "w", "a.safetensors"],
  ["pytorch_model.bin.index.json", "safetensors-index", "w", "shard.bin"],
  ["b.pt", "torch-zip", "w", "b.pt"],
  ["c.npy", "npy", "array", "c.npy"],
  ["d.npz", "npz", "w", "d.npz"],
  ["e.h5", "hdf5", "w", "e.h5"],
])("%s is known as %s by what is in it", async (name, kind, tensorName, held) => {
  const file = await openTensorFile(join(directory, name));
  expect(file.kind).toBe(kind);
  expect(file.tensors.map((tensor) => [tensor.name, tensor.file])).toEqual([[tensorName, held]]);
  expect(file.tensors.map((tensor) => [...readMatrix(tensor).toFloat64()])).toEqual([[1, 2, 3, 4]]);
  file.close();
});

test("the name says nothing: a safetensors file called .pt is opened as what it is", async () => {
  const path = handmadeSafetensors(join(directory, "disguised.pt"), "{}");
  const file = await openTensorFile(path);
  expect([file.kind, file.tensors]).toEqual(["safetensors", []]);
  file.close();
});

test.each([
  ["nowhere", "FILE_NOT_FOUND"],
  [".", "FILE_UNREADABLE"],
])("%s is refused as %s", async (name, code) => {
  await expect(openTensorFile(join(directory, name))).rejects.toMatchObject({ code });
});
