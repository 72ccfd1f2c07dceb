import { describe, expect, test } from "vitest";
import { itemSizes } from "../../../../src/formats/matrix.js";
import { isDtype } from "../../../../src/formats/stored-tensor.js";
import { PickleDict } from "../../../../src/formats/torch/pickle-cursor.js";
import { laterDtypes, readTorchPickle, storageDtypes, TorchTensor } from "../../../../src/formats/torch/torch-pickle.js";
import { expectedFrom } from "../reference-python.js";

/** Opcodes of a pickle of protocol 2, as text of bytes. */
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const number = (value: number) => `K${String.fromCharCode(value)}`;
const tuple = (...items: string[]) => `(${items.join("")}t`;
const global = (module: string, name: string) => `c${module}\n${name}\n`;
const storage = (type = global("torch", "FloatStorage"), key = "0", count = 6) => `${tuple(text("storage"), type, text(key), text("cpu"), number(count))}Q`;
const call = (name: string, ...args: string[]) => `${global("torch._utils", name)}${tuple(...args)}R`;
const ordered = `${global("collections", "OrderedDict")})R`;
const no = "\x89";
const yes = "\x88";
const shape = [number(0), tuple(number(2), number(3)), tuple(number(3), number(1))];
const tensor = call("_rebuild_tensor_v2", storage(), ...shape, no, ordered);

const read = (pickle: string) => readTorchPickle(Buffer.from(`\x80\x02${pickle}.`, "latin1"), "weights.pt", 500);
const tensorOf = (pickle: string) => {
  const { root } = read(pickle);
  if (root instanceof TorchTensor) return root;
  throw new Error("no tensor");
};

test.each([
  ["of torch before 0.4", call("_rebuild_tensor", storage(), ...shape), "F32"],
  ["of today", tensor, "F32"],
  ["with metadata that says nothing", call("_rebuild_tensor_v2", storage(), ...shape, no, ordered, ordered), "F32"],
  [
    "of a type without a storage",
    call("_rebuild_tensor_v3", storage(global("torch.storage", "UntypedStorage"), "0", 12), ...shape, no, ordered, global("torch", "uint16")),
    "U16",
  ],
  ["that is a parameter", call("_rebuild_parameter", tensor, yes, ordered), "F32"],
  ["that is a parameter with attributes", call("_rebuild_parameter_with_state", tensor, yes, ordered, ordered), "F32"],
  [
    "with attributes of its own",
    `${global("torch._tensor", "_rebuild_from_type_v2")}${tuple(global("torch._utils", "_rebuild_tensor_v2"), global("torch", "Tensor"), tuple(storage(), ...shape, no, ordered), ordered)}R`,
    "F32",
  ],
])("a tensor %s has its dtype, its view and its storage", (_, pickle, dtype) => {
  expect(tensorOf(pickle)).toMatchObject({ type: { dtype }, offset: 0, shape: [2, 3], strides: [3, 1], storage: { key: "0" } });
});

test("tensors of one storage share it, and it is told once", () => {
  const { root, storages } = read(tuple(tensor, tensor, call("_rebuild_tensor_v2", storage(global("torch", "HalfStorage"), "1", 6), ...shape, no, ordered)));
  expect(storages.map(({ key, bytes }) => [key, bytes])).toEqual([
    ["0", 24],
    ["1", 12],
  ]);
  const [first, second] = (root as { items: TorchTensor[] }).items;
  expect(first?.storage).toBe(second?.storage);
});

test("a tensor without elements goes beyond nothing, one that ends with its storage fits", () => {
  expect(tensorOf(call("_rebuild_tensor_v2", storage(), number(200), tuple(number(0), number(3)), tuple(number(3), number(1)), no, ordered)).shape).toEqual([
    0, 3,
  ]);
  expect(tensorOf(call("_rebuild_tensor_v2", storage(), number(5), tuple(), tuple(), no, ordered)).offset).toBe(5);
});

test("dicts are dicts; what else Python would call is named once, in order, and not called", () => {
  const { root, inertGlobals } = read(
    tuple(ordered, `${global("os", "system")}${tuple(text("exit"))}R`, `${global("a", "b")})R`, `${global("os", "system")})R`),
  );
  expect((root as { items: unknown[] }).items[0]).toBeInstanceOf(PickleDict);
  expect(inertGlobals).toEqual(["os.system", "a.b"]);
});

describe("what torch does not write is refused", () => {
  test.each([
    ["too few arguments", call("_rebuild_tensor_v2", storage(), ...shape, no), "a tensor is built from 5 arguments, not 6 to 7"],
    ["too many arguments", call("_rebuild_tensor", storage(), ...shape, no), "a tensor is built from 5 arguments, not 4 to 4"],
    ["requires_grad that is a number", call("_rebuild_tensor_v2", storage(), ...shape, number(1), ordered), "requires_grad of a tensor is not a boolean"],
    [
      "a view beyond its storage",
      call("_rebuild_tensor_v2", storage(), number(1), ...shape.slice(1), no, ordered),
      'a tensor [2, 3] with strides [3, 1] from element 1 goes beyond the 24 bytes of storage "0"',
    ],
    [
      "a wider type than its storage holds",
      call("_rebuild_tensor_v3", storage(global("torch.storage", "UntypedStorage")), ...shape, no, ordered, global("torch", "uint64")),
      "goes beyond the 6 bytes",
    ],
    ["metadata that is no dict", call("_rebuild_tensor_v2", storage(), ...shape, no, ordered, number(1)), "the metadata of a tensor is not a dict"],
    [
      "metadata of another kind",
      call("_rebuild_tensor_v2", storage(), ...shape, no, ordered, `}${text("odd")}${yes}s`),
      "a tensor's metadata says what no torch says",
    ],
    ["a parameter without a tensor", call("_rebuild_parameter", number(1), yes, ordered), "a parameter holds no tensor"],
    ["a storage class that is called", `${global("torch", "FloatStorage")})R`, "the type torch.FloatStorage is called"],
    ["one storage in two ways", tuple(storage(), storage(global("torch", "IntStorage"))), 'storage "0" is described in two ways'],
    ["a persistent id of another kind", `${tuple(text("module"), number(1))}Q`, "a persistent id does not name a storage"],
  ])("as damaged: %s", (_, pickle, message) => {
    expect(() => read(pickle)).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", offset: 500, message: expect.stringContaining(message) }));
  });

  test.each([
    ["a storage of a type that is not known", storage(global("torch", "QInt8Storage")), "has a storage of the type torch.QInt8Storage"],
    [
      "a tensor of a type that is not known",
      call("_rebuild_tensor_v3", storage(), ...shape, no, ordered, global("torch", "bits8")),
      "has a tensor of the type torch.bits8",
    ],
    [
      "a tensor whose sign is turned",
      call("_rebuild_tensor_v2", storage(), ...shape, no, ordered, `}${text("neg")}${yes}s`),
      "has a tensor that is stored with its sign turned",
    ],
    [
      "a tensor of a class of its own",
      `${global("torch._tensor", "_rebuild_from_type_v2")}${tuple(global("mine", "build"), global("mine", "Tensor"), tuple(), ordered)}R`,
      "has a tensor of a class of its own, built by mine.build",
    ],
  ])("as not supported: %s", (_, pickle, message) => {
    expect(() => read(pickle)).toThrow(
      expect.objectContaining({
        code: "FORMAT_UNSUPPORTED",
        message: `weights.pt ${message}, which is not read. Save its state dict of plain tensors instead`,
      }),
    );
  });
});

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
