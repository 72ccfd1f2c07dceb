import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTensors } from "../../../src/runs/open-tensors.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const directory = temporaryDirectory();
mkdirSync(join(directory, "model"));
expectedFrom(
  `
import json, os, sys, h5py, numpy as np, torch
from safetensors.numpy import save_file
os.chdir(sys.argv[1])
h = np.zeros((2, 3, 2), "f4")
save_file({"w": h[0]}, "plain.safetensors"); save_file({"embedding_history": h}, "states.safetensors"); save_file({"other": h}, "cube.safetensors")
save_file({"w": h[0]}, "model/model.safetensors"); json.dump({}, open("model/config.json", "w"))
json.dump({"weight_map": {"w": "plain.safetensors"}}, open("model.safetensors.index.json", "w"))
torch.save({"w": torch.zeros(2, 2)}, "a.pt"); np.save("a.npy", h); np.savez("a.npz", w=h)
with h5py.File("a.h5", "w") as f: f["W"] = h
print(0)`,
  directory,
);
writeRun({ folder: directory, id: "run", steps: 1 });

test.each([
  ["plain.safetensors", "safetensors"],
  ["states.safetensors", "history"],
  ["cube.safetensors", "safetensors"],
  ["model.safetensors.index.json", "safetensors-sharded"],
  ["a.pt", "torch-zip"],
  ["a.npy", "npy"],
  ["a.npz", "npz"],
  ["a.h5", "hdf5"],
  ["model", "hf-checkpoint"],
  ["run", "run"],
  ["run/history.safetensors", "history"],
])("%s is opened as %s", async (name, kind) => {
  const file = await openTensors(join(directory, name));
  file.close();
  expect(file.kind).toBe(kind);
  expect(file.tensors.length).toBeGreaterThan(0);
});

test("a torch archive tells what torch would call", async () => {
  const path = join(directory, "call.pt");
  expectedFrom('import sys, torch, fractions\ntorch.save({"w": torch.zeros(2), "f": fractions.Fraction(1, 3)}, sys.argv[1])\nprint(0)', path);
  const file = await openTensors(path);
  file.close();
  expect(file.inertGlobals).toEqual(["fractions.Fraction"]);
});

test("what is not there, and a folder with nothing to open, are refused", async () => {
  await expect(openTensors(join(directory, "gone"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await expect(openTensors(temporaryDirectory())).rejects.toMatchObject({ code: expect.stringMatching(/^FORMAT_/) });
});
