import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BhBridgeError } from "../../../../src/errors.js";
import { openSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

/** A file with this header text and these data bytes. */
function handmade(name: string, header: string | Uint8Array, data: Uint8Array = new Uint8Array(), headerBytes?: bigint): string {
  const path = join(directory, name);
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerBytes ?? BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, data]));
  return path;
}

function failure(action: () => unknown): BhBridgeError {
  try {
    action();
  } catch (error) {
    if (error instanceof BhBridgeError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

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
  expect(failure(() => file.tensors[0]?.rows())).toMatchObject({ code: "FORMAT_UNSUPPORTED" });
  file.close();
});

describe("hostile headers are typed errors that say where", () => {
  const entry = (dtype: string, shape: string, offsets: string) => `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
  const good = entry("U8", "[2]", "[0,2]");
  test.each<[string, string | Uint8Array, number, RegExp]>([
    ["not JSON", "{nonsense", 0, /not JSON/],
    ["not an object", "[1]", 0, /not a JSON object/],
    ["white space first", ` {"a":${good}}`, 2, /not a JSON object/],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), 0, /not UTF-8/],
    ["a name twice", `{"a":${good},"a":${good}}`, 2, /"a" stands twice/],
    ["a name twice, once escaped", `{"a":${good},"\\u0061":${good}}`, 2, /"a" stands twice/],
    ["a key twice in an entry", `{"a":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}`, 2, /"dtype" stands twice/],
    ["__proto__", `{"__proto__":${good}}`, 2, /reserved/],
    ["a lone surrogate", `{"\\ud800":${good}}`, 2, /Unicode/],
    ["a negative size", `{"a":${entry("U8", "[-2]", "[0,2]")}}`, 2, /unsigned integer/],
    ["a fractional size", `{"a":${entry("U8", "[2.0]", "[0,2]")}}`, 2, /unsigned integer/],
    ["an exponent", `{"a":${entry("U8", "[2e0]", "[0,2]")}}`, 2, /unsigned integer/],
    ["a size beyond 2^53", `{"a":${entry("U8", "[9007199254740993]", "[0,2]")}}`, 2, /shape/],
    ["a size that overflows", `{"a":${entry("F64", "[4294967296,4294967296]", "[0,2]")}}`, 2, /overflows/],
    ["an unknown dtype", `{"a":${entry("F128", "[2]", "[0,2]")}}`, 2, /unknown dtype "F128"/],
    ["an unknown key", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"strides":[1]}}`, 2, /strides/],
    ["a missing key", `{"a":{"dtype":"U8","shape":[2]}}`, 2, /data_offsets/],
    ["offsets back to front", `{"a":${entry("U8", "[2]", "[2,0]")}}`, 2, /takes 2 bytes/],
    ["a shape that disagrees with the offsets", `{"a":${entry("F32", "[2]", "[0,2]")}}`, 2, /takes 8 bytes/],
    ["half a byte", `{"a":${entry("F4", "[3]", "[0,2]")}}`, 2, /whole number of bytes/],
    ["overlapping tensors", `{"a":${good},"b":${entry("U8", "[2]", "[1,3]")}}`, 3, /"b" overlaps/],
    ["a gap between tensors", `{"a":${good},"b":${entry("U8", "[1]", "[3,4]")}}`, 4, /"b" leaves a gap/],
    ["bytes after the last tensor", `{"a":${good}}`, 3, /the tensors end at byte/],
    ["a tensor beyond the end", `{"a":${good}}`, 1, /the tensors end at byte/],
    ["metadata that is no object of strings", `{"__metadata__":{"a":1},"a":${good}}`, 2, /__metadata__/],
  ])("%s", (name, header, dataBytes, reason) => {
    const path = handmade(`${name.replaceAll(/\W/g, "-")}.safetensors`, header, new Uint8Array(dataBytes));
    const error = failure(() => openSafetensors(path));
    expect(error).toMatchObject({ code: "FORMAT_INVALID" });
    expect(error.message).toMatch(reason);
    expect(error.message).toContain(path);
    expect(error.offset).toBeGreaterThanOrEqual(0);
  });

  test.each([
    ["longer than the file", 1_000n, /1000 bytes, but 2 follow/],
    ["of 2^64 − 1 bytes", 2n ** 64n - 1n, /18446744073709551615 bytes/],
  ])("a header %s allocates nothing", (name, headerBytes, reason) => {
    const path = handmade(`${name.replaceAll(/\W/g, "-")}.safetensors`, "{}", new Uint8Array(), headerBytes);
    expect(failure(() => openSafetensors(path)).message).toMatch(reason);
  });

  test("a file shorter than its length field", () => {
    const path = join(directory, "short.safetensors");
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    expect(failure(() => openSafetensors(path))).toMatchObject({ code: "FORMAT_INVALID", offset: 0 });
  });

  test("ten million brackets are refused without deep recursion", () => {
    const path = handmade("deep.safetensors", `{"a":${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}}`);
    expect(failure(() => openSafetensors(path))).toMatchObject({ code: "FORMAT_INVALID" });
  });
});

test("a missing file, a directory and a pipe have codes of their own", () => {
  expect(failure(() => openSafetensors(join(directory, "nowhere")))).toMatchObject({ code: "FILE_NOT_FOUND" });
  expect(failure(() => openSafetensors(directory))).toMatchObject({ code: "FILE_UNREADABLE" });
  expect(failure(() => openSafetensors("/dev/zero"))).toMatchObject({ code: "FILE_UNREADABLE" });
});
