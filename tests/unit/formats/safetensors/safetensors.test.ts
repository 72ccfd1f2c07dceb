import { join } from "node:path";
import { expect, test } from "vitest";
import { openSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { failureOf } from "../failure-of.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";
import { handmadeSafetensors } from "./handmade-safetensors.js";

const directory = temporaryDirectory();

const handmade = (name: string, header: string, data: Uint8Array): string => handmadeSafetensors(join(directory, name), header, data);

test("every dtype written by the real library is read to torch's values", () => {
  const path = join(directory, "dtypes.safetensors");
  const expected = expectedFrom<Record<string, number[]>>(
    `
import sys, json, torch
from safetensors.torch import save_file
names = dict(BF16="bfloat16", F16="float16", F32="float32", F64="float64", I8="int8", U8="uint8", I16="int16", U16="uint16", I32="int32", U32="uint32", I64="int64", U64="uint64", BOOL="bool")
values = torch.tensor([[0, 1, 2.5], [3, 100, 7.125]])
tensors = {k: values.to(getattr(torch, v)) for k, v in names.items()}
save_file(tensors, sys.argv[1], metadata={"format": "pt"})
print(json.dumps({k: t.double().flatten().tolist() for k, t in tensors.items()}))`,
    path,
  );
  const file = openSafetensors(path);
  expect(file.metadata).toEqual({ format: "pt" });
  expect(Object.keys(expected).sort()).toEqual(file.tensors.map((tensor) => tensor.name).sort());
  for (const tensor of file.tensors) {
    expect(tensor.dtype).toBe(tensor.name);
    expect(tensor.shape).toEqual([2, 3]);
    expect([...readMatrix(tensor).toFloat64()]).toEqual(expected[tensor.name]);
  }
  file.close();
});

test("rows are read in pieces, and the place of the raw bytes is told", () => {
  const path = handmade("rows.safetensors", '{"w":{"dtype":"U8","shape":[3,2],"data_offsets":[0,6]}}', Uint8Array.of(1, 2, 3, 4, 5, 6));
  const file = openSafetensors(path);
  const rows = file.tensors[0]?.rows();
  const target = new Uint8Array(4);
  rows?.read(1, 2, target);
  expect([...target]).toEqual([3, 4, 5, 6]);
  expect(rows?.raw).toEqual({ path, offset: 8 + 55 });
  file.close();
});

test("a float8 tensor is listed, and refused by name when its values are asked for", () => {
  const path = handmade("float8.safetensors", '{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}', new Uint8Array(2));
  const file = openSafetensors(path);
  expect(file.tensors[0]).toMatchObject({ name: "w", dtype: "F8_E4M3", bytes: 2 });
  expect(failureOf(() => file.tensors[0]?.rows())).toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  file.close();
});

test("a missing file, a directory and a pipe have codes of their own", () => {
  expect(failureOf(() => openSafetensors(join(directory, "nowhere")))).toMatchObject({ code: "FILE_NOT_FOUND" });
  expect(failureOf(() => openSafetensors(directory))).toMatchObject({ code: "FILE_UNREADABLE" });
  expect(failureOf(() => openSafetensors("/dev/zero"))).toMatchObject({ code: "FILE_UNREADABLE" });
});
