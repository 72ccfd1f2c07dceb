import { expect, test } from "vitest";
import { itemSizes } from "../../../../src/formats/matrix.js";
import { isDtype } from "../../../../src/formats/stored-tensor.js";
import { laterDtypes, storageDtypes } from "../../../../src/formats/torch/torch-dtypes.js";
import { expectedFrom } from "../reference-python.js";

/** The bytes of one element of each type, and how the safetensors library spells those that it knows. */
const torch = expectedFrom<{ storages: Record<string, number>; dtypes: Record<string, number>; spelt: Record<string, string> }>(
  `
import json, sys, warnings, torch
from safetensors.torch import _TYPES
warnings.simplefilter("ignore")
kinds = [k for k in torch._storage_classes if hasattr(k, "dtype") and "cuda" not in k.__module__]
print(json.dumps({
    "storages": {f"torch.{k.__name__}": k().element_size() for k in kinds},
    "dtypes": {n: torch.empty(0, dtype=getattr(torch, n.removeprefix("torch."))).element_size() for n in sys.argv[1:]},
    "spelt": {str(d): name for name, d in _TYPES.items()},
}))`,
  ...laterDtypes.keys(),
);

test("every storage has the bytes that torch gives it", () => {
  for (const [name, { itemBytes }] of storageDtypes) {
    if (name === "torch.storage.UntypedStorage") continue;
    expect(itemBytes, name).toBe(torch.storages[name]);
  }
});

test("every type without a storage is as large as in torch, and spelt as the safetensors library spells it where it knows it", () => {
  for (const [name, { dtype, itemBytes }] of laterDtypes) {
    expect(torch.spelt[name] ?? dtype, name).toBe(dtype);
    expect(itemBytes, name).toBe(torch.dtypes[name]);
  }
});

test("what can be read has the size that a matrix gives it", () => {
  for (const { dtype, itemBytes } of [...storageDtypes.values(), ...laterDtypes.values()]) if (isDtype(dtype)) expect(itemBytes, dtype).toBe(itemSizes[dtype]);
});
