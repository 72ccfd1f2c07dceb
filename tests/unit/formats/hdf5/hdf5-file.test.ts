import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileBytes } from "../../../../src/formats/file-bytes.js";
import { listDatasets, openHdf5 } from "../../../../src/formats/hdf5/hdf5-file.js";
import { Hdf5Sandbox } from "../../../../src/formats/hdf5/hdf5-sandbox.js";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { openHistory } from "../../../../src/runs/open-history.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();
const trajectory = join(directory, "trajectory.h5");
const mixed = join(directory, "mixed.h5");
const hostile = join(directory, "hostile.h5");

const expected = expectedFrom<{ state: number[]; datasets: Record<string, number[]> }>(
  `
import sys, json, h5py, numpy as np, torch
history = torch.randn(11, 6, 3, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
bits = history.view(torch.uint16).numpy()
with h5py.File(sys.argv[1], "w") as f: f.create_dataset("W", data=bits, chunks=(1, 6, 3), compression="gzip", shuffle=True, fletcher32=True)
values = np.array([[0, 1, 2.5], [3, 100, 7.125]])
names = ["f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">f4", ">i2"]
with h5py.File(sys.argv[2], "w") as f:
    g = f.create_group("group")
    for n in names: g[n.replace(">", "big_")] = values.astype(n)
    g["bool"] = values > 2
    g["scalar"] = 7
    g["blocks"] = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    f["moments"] = bits[:2]; f["moments"].attrs["dtype"] = "bfloat16"
    f["soft"] = h5py.SoftLink("/group/f4")
    f["text"] = "abc"; f["record"] = np.zeros(2, dtype=[("a", "i4")])
    datasets = {f"group/{k}": np.asarray(v[()], dtype="f8").ravel().tolist() for k, v in g.items()}
    datasets["soft"] = datasets["group/f4"]; datasets["moments"] = history[:2].double().flatten().tolist()
with h5py.File(sys.argv[3], "w") as f:
    f["sound"] = np.ones(3)
    f["outside"] = h5py.ExternalLink(sys.argv[1], "/W")
    f.create_dataset("other_bytes", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])
    layout = h5py.VirtualLayout(shape=(11, 6, 3), dtype="u2"); layout[:] = h5py.VirtualSource(sys.argv[1], "W", shape=(11, 6, 3))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("petabyte", shape=(2**40, 1024), dtype="f4", chunks=(1, 1024))
    f.create_dataset("huge_chunk", shape=(2**28,), dtype="u1", maxshape=(None,), chunks=(2**28 + 1,))
    f.create_dataset("lzf", data=np.zeros((100, 100)), compression="lzf")
print(json.dumps({"state": history[7].double().flatten().tolist(), "datasets": datasets}))`,
  trajectory,
  mixed,
  hostile,
);

test("a gzip trajectory of uint16 bits is a bfloat16 history, read state by state", async () => {
  const history = await openHistory(trajectory);
  expect(history).toMatchObject({ dtype: "BF16", states: 11, tokens: 6, dims: 3 });
  expect(history.raw).toBeUndefined();
  const state = new Uint16Array(18);
  history.read(7, 1, new Uint8Array(state.buffer));
  const values = [...state].map((bits) => new Float32Array(new Uint32Array([bits << 16]).buffer)[0]);
  expect(values).toEqual(expected.state);
  history.close();
});

test("datasets of every number type are named by their path and read to numpy's values", async () => {
  const file = await openHdf5(mixed);
  const values = file.tensors.map((tensor) => [tensor.name, [...readMatrix(tensor).toFloat64()]]);
  expect(Object.fromEntries(values)).toEqual(expected.datasets);
  const dtypes = Object.fromEntries(file.tensors.map((tensor) => [tensor.name, tensor.dtype]));
  expect(dtypes).toMatchObject({ "group/f2": "F16", "group/u2": "U16", "group/big_f4": "F32", "group/bool": "BOOL", moments: "BF16" });
  file.close();
});

test("any range of rows of a 4-D dataset is read right", async () => {
  const file = await openHdf5(mixed);
  const rows = file.tensors.find((tensor) => tensor.name === "group/blocks")?.rows();
  for (let first = 0; first < 24; first++) {
    for (let count = 1; first + count <= 24; count++) {
      const target = new BigInt64Array(count * 5);
      rows?.read(first, count, new Uint8Array(target.buffer));
      expect([...target].map(Number)).toEqual(Array.from({ length: count * 5 }, (_, index) => first * 5 + index));
    }
  }
  file.close();
});

test("a bfloat16 float type is told from float16", async () => {
  const path = join(directory, "bfloat16.h5");
  expectedFrom(
    `
import sys, h5py, numpy as np
kind = h5py.h5t.IEEE_F16LE.copy(); kind.set_fields(15, 7, 8, 0, 7); kind.set_ebias(127)
with h5py.File(sys.argv[1], "w") as f:
    d = h5py.h5d.create(f.id, b"weights", kind, h5py.h5s.create_simple((4,)))
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([0, 1, -2.5, 65536], dtype="f4"))
print(0)`,
    path,
  );
  const file = await openHdf5(path);
  expect(file.tensors[0]).toMatchObject({ name: "weights", dtype: "BF16" });
  const [tensor] = file.tensors;
  expect(tensor && [...readMatrix(tensor).toFloat32()]).toEqual([0, 1, -2.5, 65536]);
  file.close();
});

describe("a hostile file", () => {
  test("leads to no other file", async () => {
    expect(existsSync(trajectory)).toBe(true);
    const file = await openHdf5(hostile);
    const names = file.tensors.map((tensor) => tensor.name);
    expect(names).not.toContain("outside");
    const read = (name: string) => () => {
      const tensor = file.tensors.find((one) => one.name === name);
      return tensor && readMatrix(tensor);
    };
    expect(read("sound")()?.toFloat64()).toEqual(Float64Array.of(1, 1, 1));
    expect(read("virtual")).toThrow(/virtual: its data is in other files/);
    expect(read("other_bytes")).toThrow(/cannot be read/);
    expect(read("petabyte")).toThrow(/which the file's \d+ cannot hold/);
    expect(read("huge_chunk")).toThrow(/chunks of 268435457 bytes/);
    expect(read("lzf")).toThrow(/packed with LZF/);
    expect(read("sound")()?.toFloat64()).toEqual(Float64Array.of(1, 1, 1));
    file.close();
  });

  test("groups that hold themselves are refused", async () => {
    const path = join(directory, "loop.h5");
    expectedFrom('import sys, h5py\nwith h5py.File(sys.argv[1], "w") as f: f.create_group("a"); f["a/again"] = f["a"]\nprint(0)', path);
    await expect(openHdf5(path)).rejects.toThrow(/hold themselves/);
  });

  test("a truncated or garbled file is FORMAT_INVALID, and the library lives on", async () => {
    const sound = readFileSync(trajectory);
    for (const [name, bytes] of Object.entries({
      half: sound.subarray(0, sound.length / 2),
      garbled: Buffer.concat([sound.subarray(0, 60), Buffer.alloc(1000, 0xaa)]),
    })) {
      const path = join(directory, `${name}.h5`);
      writeFileSync(path, bytes);
      await expect(openHdf5(path)).rejects.toMatchObject({ code: "FORMAT_INVALID" });
    }
    const file = await openHdf5(trajectory);
    expect(file.tensors).toHaveLength(1);
    file.close();
  });
});

describe("a global heap, where texts lie,", () => {
  const sound = join(directory, "texts.h5");
  expectedFrom(
    `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    f["moments"] = np.arange(6, dtype="u2").reshape(2, 3); f["moments"].attrs["dtype"] = "bfloat16"
    f["like_a_heap"] = np.frombuffer(b"GCOL" + bytes(60), dtype="u1")
print(0)`,
    sound,
  );

  test("is followed, and data that looks like one is data", async () => {
    const file = await openHdf5(sound);
    expect(file.tensors.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["like_a_heap", "U8"],
      ["moments", "BF16"],
    ]);
    expect(file.tensors.slice(0, 1).map((tensor) => readMatrix(tensor).at(0, 0))).toEqual(["G".charCodeAt(0)]);
    file.close();
  });

  test.each([
    ["free space without a size, over which the library would stand for ever", 0n, /has an object of 0 bytes/],
    ["an object beyond its end", 2n ** 40n, /has an object of 1099511627776 bytes/],
  ])(
    "is refused with %s",
    async (_, size, message) => {
      const bytes = readFileSync(sound);
      const heap = bytes.indexOf("GCOL\u0001");
      // The text comes first (16 bytes of header, 8 of "bfloat16"); what follows is free space.
      bytes.writeBigUInt64LE(size, heap + 16 + 16 + 8 + 8);
      const path = join(directory, "heap.h5");
      writeFileSync(path, bytes);
      await expect(openHdf5(path)).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringMatching(message) });
    },
    5000,
  );
});

test("a small file that would unpack to very much is refused, and rows of large chunks are unpacked together", async () => {
  const [vast, tall] = [join(directory, "vast.h5"), join(directory, "tall.h5")];
  expectedFrom(
    `
import sys, h5py, numpy as np, zlib
with h5py.File(sys.argv[1], "w") as f:
    rows = 2**22
    d = f.create_dataset("m", shape=(rows, 64), dtype="f4", chunks=(rows, 16), compression="gzip")
    packed = zlib.compress(bytes(rows * 16 * 4), 1)
    for column in range(0, 64, 16): d.id.write_direct_chunk((0, column), packed)
with h5py.File(sys.argv[2], "w") as f:
    rows = 2**20
    d = f.create_dataset("m", shape=(rows, 16), dtype="f4", chunks=(rows, 16), compression="gzip")
    d[...] = (np.arange(rows, dtype="f4") % 977)[:, None]
print("{}")`,
    vast,
    tall,
  );
  const refused = await openHdf5(vast);
  // A read of 16 MiB touches all four chunks of 256 MiB: 64 reads unpack 64 GiB of a file of a few MB.
  expect(refused.tensors[0]?.unreadable).toMatch(/^would unpack more than 34359738368 bytes, since its chunks of 268435456 bytes span many rows/);
  expect(() => refused.tensors[0]?.rows()).toThrow(expect.objectContaining({ code: "FORMAT_UNSUPPORTED" }));
  refused.close();
  const opened = await openHdf5(tall);
  const rows = opened.tensors[0]?.rows();
  const target = new Uint8Array(3 * 64);
  // Each alone would unpack 64 MiB, and all of them 64 GiB. The last of the first block reaches into the second.
  for (const first of [...Array.from({ length: 1024 }, (_, index) => 7 * index), 2 ** 18 - 1, 2 ** 20 - 3]) {
    rows?.read(first, 3, target);
    const values = new Float32Array(target.buffer);
    expect([values[0], values[16], values[47]]).toEqual([first % 977, (first + 1) % 977, (first + 2) % 977]);
  }
  opened.close();
});

/** What is listed of a file that h5py makes. */
async function listed(name: string, body: string) {
  const path = join(directory, name);
  expectedFrom(`import sys, h5py, numpy as np\nwith h5py.File(sys.argv[1], "w") as f:\n    ${body}\nprint(0)`, path);
  const file = new FileBytes(path);
  const sandbox = await Hdf5Sandbox.open(file);
  try {
    return listDatasets(sandbox);
  } finally {
    sandbox.close();
    file.close();
  }
}

test("datasets are named by their paths, groups and broken links are none", async () => {
  const found = await listed(
    "tree.h5",
    'f["a/b/w"] = np.ones((2, 3), dtype="f4"); f.create_group("empty"); f["gone"] = h5py.SoftLink("/nowhere"); f["v"] = np.ones(2)',
  );
  expect(found.map(({ name, metadata }) => [name, metadata.shape])).toEqual([
    ["a/b/w", [2, 3]],
    ["v", [2]],
  ]);
});

test("filters are told by their numbers: shuffle is 2, gzip 1, fletcher32 3", async () => {
  const [dataset] = await listed("packed.h5", 'f.create_dataset("w", data=np.ones((8, 8)), chunks=(4, 4), shuffle=True, compression="gzip", fletcher32=True)');
  expect(dataset?.filterIds).toEqual([2, 1, 3]);
});

test("an attribute that says bfloat16 is heard; another text, a number and a text that goes on are not", async () => {
  const attributes = ['"bfloat16"', 'np.bytes_(b"bfloat16")', '"float16"', "3", '"bfloat16" * 100'];
  const body = attributes.map((value, index) => `f["w${index}"] = np.ones(2, dtype="u2"); f["w${index}"].attrs["dtype"] = ${value}`).join("; ");
  expect((await listed("attributes.h5", body)).map(({ saysBfloat16 }) => saysBfloat16)).toEqual([true, true, false, false, false]);
});

test("groups are followed 32 deep, and no deeper", async () => {
  const nested = (depth: number) => `f["${"g/".repeat(depth)}w"] = np.ones(1)`;
  expect((await listed("deep.h5", nested(32))).map(({ name }) => name)).toEqual([`${"g/".repeat(32)}w`]);
  await expect(listed("deeper.h5", nested(33))).rejects.toThrow("its groups nest deeper than 32, or hold themselves");
});

test("an empty file has no datasets", async () => {
  expect(await listed("empty.h5", "pass")).toEqual([]);
});
