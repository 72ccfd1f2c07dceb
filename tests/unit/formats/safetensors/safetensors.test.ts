import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dtypes } from "../../../../src/formats/matrix.js";
import { openSafetensors, openSharded, writeSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { brokenTensor, countedInPython, countedTensor } from "../counted-tensor.js";
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

const root = temporaryDirectory();
let made = 0;

/** A folder with two shards of one byte each, and this index beside them; which shards are open. */
function sharded(index: unknown) {
  const directory = join(root, String(made++));
  mkdirSync(directory);
  for (const [name, value] of [
    ["a", 1],
    ["b", 2],
  ] as const) {
    const header = JSON.stringify({ [name]: { dtype: "U8", shape: [1], data_offsets: [0, 1] } });
    handmadeSafetensors(join(directory, `${name}.safetensors`), header, Uint8Array.of(value));
  }
  const path = join(directory, "model.safetensors.index.json");
  writeFileSync(path, JSON.stringify(index));
  const opened: string[] = [];
  const open = new Set<string>();
  const openShard = (shard: string, label: string) => {
    opened.push(label);
    open.add(label);
    const file = openSafetensors(shard, label);
    return {
      ...file,
      close() {
        open.delete(label);
        file.close();
      },
    };
  };
  return { directory, opened, open, openIndex: () => openSharded(path, openShard) };
}

test("each tensor comes from its shard, in the order of the index, and closing closes all shards", () => {
  const { opened, open, openIndex } = sharded({ metadata: { total_size: 2 }, weight_map: { b: "b.safetensors", a: "a.safetensors" } });
  const file = openIndex();
  expect(file.tensors.map((tensor) => [tensor.name, tensor.file, ...readMatrix(tensor).bytes])).toEqual([
    ["b", "b.safetensors", 2],
    ["a", "a.safetensors", 1],
  ]);
  expect(file.metadata).toEqual({ total_size: 2 });
  expect(opened).toEqual(["b.safetensors", "a.safetensors"]);
  file.close();
  expect(open.size).toBe(0);
});

test("a shard of many tensors is opened once, and what the index does not name is left out", () => {
  const { opened, openIndex } = sharded({ weight_map: { a: "a.safetensors" } });
  const file = openIndex();
  expect([opened, file.tensors.length, file.metadata]).toEqual([["a.safetensors"], 1, {}]);
  file.close();
});

describe("an index that is wrong is refused, and no shard stays open", () => {
  test.each([
    ["that is no index", { weights: {} }, "FORMAT_INVALID", /it is not an index of shards/],
    ["with a shard that is a number", { weight_map: { a: 1 } }, "FORMAT_INVALID", /it is not an index of shards/],
    [
      "with a tensor that its shard lacks",
      { weight_map: { b: "b.safetensors", a: "b.safetensors" } },
      "FORMAT_INVALID",
      /tensor "a" is in b\.safetensors, which has no such tensor/,
    ],
    ["with a shard that is missing", { weight_map: { b: "b.safetensors", c: "c.safetensors" } }, "FILE_NOT_FOUND", /c\.safetensors/],
    ["with a shard elsewhere", { weight_map: { b: "b.safetensors", c: "../0/a.safetensors" } }, "FORMAT_INVALID", /not the plain name of a file/],
    [
      "of too many shards",
      { weight_map: Object.fromEntries(Array.from({ length: 1025 }, (_, n) => [`w${n}`, `${n}.safetensors`])) },
      "FORMAT_INVALID",
      /names 1025 shards; at most 1024/,
    ],
  ])("one %s", (_, index, code, message) => {
    const { open, openIndex } = sharded(index);
    expect(openIndex).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    expect(open.size).toBe(0);
  });

  test("one whose shard is a link out of the folder", () => {
    const { directory, openIndex } = sharded({ weight_map: { secret: "link.safetensors" } });
    symlinkSync("/etc/passwd", join(directory, "link.safetensors"));
    expect(openIndex).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining("leads out of its directory") }));
  });
});

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
