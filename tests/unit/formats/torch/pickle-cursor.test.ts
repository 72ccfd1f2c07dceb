import { describe, expect, test } from "vitest";
import { PickleCursor, PickleDict, PickleFloat, PickleGlobal, PickleInstance } from "../../../../src/formats/torch/pickle-cursor.js";
import { expectedFrom } from "../reference-python.js";

const cursor = (bytes: Uint8Array | readonly number[], base = 0) => new PickleCursor(Uint8Array.from(bytes), "weights.pt", base);
const ascii = (text: string) => Buffer.from(text);

test("numbers are little-endian but for floats, and each is taken once", () => {
  const read = cursor([0xff, 0x01, 0x02, 0x01, 0x00, 0x00, 0x80, 0xfe, 0xff, 0xff, 0xff]);
  expect([read.u8(), read.u16(), read.u32(), read.i32()]).toEqual([255, 0x201, 2 ** 31 + 1, -2]);
  expect(read.position).toBe(11);
  expect(cursor([0x3f, 0xf8, 0, 0, 0, 0, 0, 0]).f64()).toBe(1.5);
  expect(cursor([0x80, 0, 0, 0, 0, 0, 0, 0]).f64()).toBe(-0);
});

test("integers of any length are Python's, and a bigint only where a number would not hold them", () => {
  const values = [
    "0",
    "1",
    "-1",
    "127",
    "-128",
    "255",
    "-256",
    `${2 ** 53 - 1}`,
    `${-(2 ** 53 - 1)}`,
    `${2n ** 53n}`,
    `${-(2n ** 53n)}`,
    `${2n ** 70n}`,
    `${-(2n ** 70n)}`,
  ];
  const encoded = expectedFrom<number[][]>("import sys, json, pickle\nprint(json.dumps([list(pickle.encode_long(int(a))) for a in sys.argv[1:]]))", ...values);
  for (const [index, bytes] of encoded.entries()) {
    const value = cursor(bytes).integer(bytes.length);
    expect(String(value)).toBe(values[index]);
    expect(typeof value).toBe(Number.isSafeInteger(Number(values[index])) ? "number" : "bigint");
  }
});

test("texts are UTF-8, a mark of byte order among them is a letter, and lines end with a line feed", () => {
  expect(cursor(ascii("aü")).text(3)).toBe("aü");
  expect(cursor([0xef, 0xbb, 0xbf, 0x61]).text(4)).toBe("\ufeffa");
  const lines = cursor(ascii("torch\nSize\n."));
  expect([lines.line(), lines.line(), lines.position]).toEqual(["torch", "Size", 11]);
});

test("a frame is looked at and not taken", () => {
  const read = cursor([3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  read.frame();
  expect(read.position).toBe(8);
});

describe("what the bytes do not have is refused with the place in the file", () => {
  test.each<[string, readonly number[], (read: PickleCursor) => unknown, number, RegExp]>([
    ["a number after the end", [1], (read) => read.u32(), 100, /4 bytes are wanted, but 1 are left/],
    ["a text after the end", [1, 2], (read) => read.text(3), 100, /3 bytes are wanted, but 2 are left/],
    ["a length of 2^63", [0, 0, 0, 0, 0, 0, 0, 0x80], (read) => read.length64(), 108, /9223372036854775808 bytes are announced, but the pickle has 8/],
    ["a frame that is cut off", [2, 0, 0, 0, 0, 0, 0, 0, 1], (read) => read.frame(), 108, /2 bytes are wanted, but 1 are left/],
    ["a text that is not UTF-8", [0xff, 0xfe], (read) => read.text(2), 102, /a string is not UTF-8 text/],
    ["a line without an end", [...ascii("torch")], (read) => read.line(), 100, /a line does not end/],
    ["an empty line", [0x0a], (read) => read.line(), 100, /a line is empty/],
    ["an integer of more than a kilobyte", [1], (read) => read.integer(1025), 100, /an integer of 1025 bytes is announced; at most 1024 are read/],
  ])("%s", (_, bytes, read, offset, message) => {
    expect(() => read(cursor(bytes, 100))).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", offset, message: expect.stringMatching(message) }));
  });
});

test("keys that Python takes for one are one, and the last value counts", () => {
  const dict = new PickleDict();
  for (const [index, key] of [true, 1, new PickleFloat(1), false, new PickleFloat(-0), "1", 1.5, new PickleFloat(2)].entries()) dict.set(key, index);
  const python = 'import json\nd = {}\nfor i, k in enumerate([True, 1, 1.0, False, -0.0, "1", 1.5, 2.0]): d[k] = i\nprint(json.dumps(list(d.values())))';
  expect([...dict.entries.values()]).toEqual(expectedFrom(python));
});

test("floats that are no integer, or beyond 2^53, are keys of their own", () => {
  const [half, large] = [new PickleFloat(0.5), new PickleFloat(2 ** 60)];
  const dict = new PickleDict();
  dict.set(half, "a");
  dict.set(large, "b");
  expect([...dict.entries.keys()]).toEqual([half, large]);
});

test("a global is written as Python writes its name", () => {
  expect(String(new PickleGlobal("torch._utils", "_rebuild_tensor_v2"))).toBe("torch._utils._rebuild_tensor_v2");
});

test("two instances share nothing", () => {
  const [one, other] = [new PickleInstance(null, null), new PickleInstance(null, null)];
  one.items.push(1);
  one.dict.set("a", 1);
  expect([other.items.length, other.dict.entries.size, other.state]).toEqual([0, 0, null]);
});
