import { describe, expect, test } from "vitest";
import { PickleDict, PickleFloat, PickleGlobal, PickleInstance, PickleList, PickleSet, PickleTuple } from "../../../../src/formats/torch/pickle-cursor.js";
import { nameValues } from "../../../../src/formats/torch/torch-archive.js";
import { storageDtypes, TorchStorage, TorchTensor } from "../../../../src/formats/torch/torch-pickle.js";

const type = [...storageDtypes.values()][0];
if (!type) throw new Error("torch has dtypes");
const tensor = () => new TorchTensor(new TorchStorage("0", type, 1), type, 0, [1], [1]);

function dict(entries: readonly (readonly [unknown, unknown])[]): PickleDict {
  const made = new PickleDict();
  for (const [key, value] of entries) made.set(key, value);
  return made;
}

function list(...items: unknown[]): PickleList {
  const made = new PickleList();
  made.items.push(...items);
  return made;
}

const names = (root: unknown) => [...nameValues(root, "weights.pt", 7).tensors.keys()];
const plain = (root: unknown) => Object.fromEntries(nameValues(root, "weights.pt", 7).plain);

test("a tensor is named by the keys and indices on its way", () => {
  const root = dict([
    ["model", dict([["embedding.weight", tensor()]])],
    ["state", dict([[0, dict([["exp_avg", tensor()]])]])],
    ["list", list(tensor(), new PickleTuple([tensor()]))],
    [2n ** 60n, tensor()],
  ]);
  expect(names(root)).toEqual(["model.embedding.weight", "state.0.exp_avg", "list.0", "list.1.0", String(2n ** 60n)]);
});

test("a tensor that was saved alone has a name", () => {
  expect(names(tensor())).toEqual(["tensor"]);
});

test("keys that are neither text nor number are counted", () => {
  expect(
    names(
      dict([
        ["a", tensor()],
        [new PickleTuple([1, 2]), tensor()],
      ]),
    ),
  ).toEqual(["a", "key#1"]);
});

test("what Python would have called shows its items, its dict and its state", () => {
  const instance = new PickleInstance(new PickleGlobal("a", "B"), new PickleTuple([]));
  instance.items.push(tensor());
  instance.dict.set("own", tensor());
  instance.state = dict([["weight", tensor()]]);
  expect(names(dict([["module", instance]]))).toEqual(["module.own", "module.0", "module.weight"]);
});

test("texts, numbers and booleans are shown beside the tensors, and nothing else", () => {
  const root = dict([
    ["epoch", 3],
    ["lr", new PickleFloat(0.5)],
    ["worst", new PickleFloat(Number.NEGATIVE_INFINITY)],
    ["loss", new PickleFloat(Number.NaN)],
    ["amsgrad", false],
    ["optim", "adamw"],
    ["none", null],
    ["set", new PickleSet([1])],
    ["long", "a".repeat(201)],
    ["kept", "a".repeat(200)],
  ]);
  expect(plain(root)).toEqual({ epoch: 3, lr: 0.5, worst: "-inf", loss: "nan", amsgrad: false, optim: "adamw", kept: "a".repeat(200) });
});

test("so many plain values are shown, and all tensors", () => {
  const root = list(...Array.from({ length: 300 }, (_, index) => index), tensor());
  expect(Object.keys(plain(root))).toHaveLength(200);
  expect(names(root)).toEqual(["300"]);
});

describe("what cannot be named is FORMAT_INVALID with the file and the place", () => {
  const refused = (root: unknown) => expect(() => nameValues(root, "weights.pt", 7));
  const nested = (depth: number) => {
    let value: unknown = tensor();
    for (let level = 0; level < depth; level++) value = list(value);
    return value;
  };

  test("nested as deep as is allowed, and one deeper", () => {
    expect(names(nested(100))[0]?.split(".")).toHaveLength(100);
    refused(nested(101)).toThrow(expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringMatching(/weights\.pt.*7.*nest deeper than 100/) }));
  });

  test("a value that holds itself", () => {
    const circle = list();
    circle.items.push(circle);
    refused(circle).toThrow(/or hold themselves/);
  });

  test("values that name the one before twice, again and again", () => {
    let value: unknown = list();
    for (let level = 0; level < 40; level++) value = list(value, value);
    refused(value).toThrow(/unfold to more than 2000000/);
  });

  test("keys that grow", () => {
    refused(dict([["a".repeat(4097), tensor()]])).toThrow(/longer than 4096 characters/);
  });

  test("two tensors of one name", () => {
    refused(
      dict([
        ["a", dict([["b", tensor()]])],
        ["a.b", tensor()],
      ]),
    ).toThrow(/two tensors have the name "a\.b"/);
  });
});
