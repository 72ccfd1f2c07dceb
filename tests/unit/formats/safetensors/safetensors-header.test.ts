import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { readSafetensorsHeader } from "../../../../src/formats/safetensors/safetensors-header.js";
import { failureOf } from "../failure-of.js";
import { temporaryDirectory } from "../reference-python.js";
import { handmadeSafetensors } from "./handmade-safetensors.js";

const directory = temporaryDirectory();
const handmade = (name: string, header: string | Uint8Array, data?: Uint8Array, headerBytes?: bigint): string =>
  handmadeSafetensors(join(directory, name), header, data, headerBytes);

function headerOf(path: string) {
  const file = new FileBytes(path);
  try {
    return readSafetensorsHeader(file);
  } finally {
    file.close();
  }
}

test("tensors keep the order of the header, and lie where their offsets say, counted from the start of the file", () => {
  const header = '{"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"__metadata__":{"note":"é"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}';
  const start = 8 + Buffer.byteLength(header);
  expect(headerOf(handmade("two.safetensors", header, new Uint8Array(6)))).toEqual({
    entries: [
      { name: "b", dtype: "U8", shape: [2], bytes: 2, offset: start + 4 },
      { name: "a", dtype: "F32", shape: [], bytes: 4, offset: start },
    ],
    metadata: { note: "é" },
  });
});

test("tensors without elements may lie between others, and four bits are half a byte", () => {
  const header = '{"none":{"dtype":"F32","shape":[0,3],"data_offsets":[2,2]},"half":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}';
  expect(headerOf(handmade("none.safetensors", header, new Uint8Array(2))).entries.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["none", 0],
    ["half", 2],
  ]);
});

test("a header of nothing is a file of nothing", () => {
  expect(headerOf(handmade("nothing.safetensors", "{}"))).toEqual({ entries: [], metadata: {} });
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
    const error = failureOf(() => headerOf(path));
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
    expect(failureOf(() => headerOf(path)).message).toMatch(reason);
  });

  test("a file shorter than its length field", () => {
    const path = join(directory, "short.safetensors");
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    expect(failureOf(() => headerOf(path))).toMatchObject({ code: "FORMAT_INVALID", offset: 0 });
  });

  test("ten million brackets are refused without deep recursion", () => {
    const path = handmade("deep.safetensors", `{"a":${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}}`);
    expect(failureOf(() => headerOf(path))).toMatchObject({ code: "FORMAT_INVALID" });
  });
});
