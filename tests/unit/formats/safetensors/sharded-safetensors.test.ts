import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { openSharded } from "../../../../src/formats/safetensors/sharded-safetensors.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { temporaryDirectory } from "../reference-python.js";
import { handmadeSafetensors } from "./handmade-safetensors.js";

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
