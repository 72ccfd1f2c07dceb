import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileBytes } from "../../../src/formats/file-bytes.js";
import { rawTensor } from "../../../src/formats/stored-tensor.js";
import { temporaryDirectory } from "./reference-python.js";

const directory = temporaryDirectory();
const info = { name: "w", dtype: "I16", shape: [2, 2, 1], bytes: 8, file: "bytes" };

/** A tensor behind three bytes that are not its own. */
function written(name: string) {
  const path = join(directory, name);
  writeFileSync(path, Uint8Array.of(9, 9, 9, 1, 0, 2, 0, 3, 0, 0xff, 0xff));
  const file = new FileBytes(path);
  return { path, file, tensor: rawTensor(file, 3, info) };
}

test("rows lie one after the other behind the offset, and workers are told where", () => {
  const { path, file, tensor } = written("sound");
  const rows = tensor.rows();
  expect(tensor).toMatchObject(info);
  expect(rows).toMatchObject({ source: path, dtype: "I16", rows: 4, columns: 1, raw: { path, offset: 3 } });
  const target = new Int16Array(3);
  rows.read(1, 3, new Uint8Array(target.buffer));
  expect([...target]).toEqual([2, 3, -1]);
  file.close();
});

test("memory that is longer than the rows keeps its rest", () => {
  const { file, tensor } = written("longer");
  const target = new Uint8Array(6).fill(7);
  tensor.rows().read(0, 2, target);
  expect([...target]).toEqual([1, 0, 2, 0, 7, 7]);
  file.close();
});

test("a file that ends early is refused with the tensor's name", () => {
  const { path, file, tensor } = written("cut");
  truncateSync(path, 10);
  expect(() => tensor.rows().read(3, 1, new Uint8Array(2))).toThrow(
    expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining('tensor "w"') }),
  );
  file.close();
});

test("a type that is only listed is refused when its rows are asked for", () => {
  const { file } = written("float8");
  expect(() => rawTensor(file, 3, { ...info, dtype: "F8_E5M2" }).rows()).toThrow(expect.objectContaining({ code: "FORMAT_UNSUPPORTED" }));
  file.close();
});
