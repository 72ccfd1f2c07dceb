import { describe, expect, test } from "vitest";
import { PickleDict, PickleFloat, PickleGlobal, PickleInstance, PickleList, PickleSet, PickleTuple } from "../../../../src/formats/torch/pickle-cursor.js";
import { readPickle } from "../../../../src/formats/torch/pickle-reader.js";
import { expectedFrom } from "../reference-python.js";

/** Calls mean nothing; a persistent id stands for its text. */
const inert = { persistent: (id: unknown) => `storage ${String(id)}`, construct: () => undefined };
const read = (bytes: Uint8Array) => readPickle(bytes, inert, "weights.pt", 0);

/** A value as plain data, its kind beside it where JavaScript has none of its own. */
function plain(value: unknown): unknown {
  if (value instanceof PickleFloat) return { float: value.value };
  if (value instanceof PickleList) return value.items.map(plain);
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) };
  if (value instanceof PickleSet) return { set: value.items.map(plain) };
  if (value instanceof PickleDict) return { dict: [...value.entries].map(([key, item]) => [plain(key), plain(item)]) };
  if (value instanceof PickleGlobal) return { global: String(value) };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof PickleInstance) {
    const { callable, args, state, items, dict } = value;
    return { call: plain(callable), args: plain(args), state: plain(state), items: items.map(plain), dict: [...dict.entries].map((entry) => entry.map(plain)) };
  }
  return typeof value === "bigint" ? { big: String(value) } : value;
}

/** The pickles of a Python expression, in every protocol that torch may write. */
function pickles(expression: string, before = ""): Uint8Array[] {
  const program = `import json, pickle\n${before}\nvalue = ${expression}\nprint(json.dumps([list(pickle.dumps(value, p)) for p in (2, 3, 4, 5)]))`;
  return expectedFrom<number[][]>(program).map((bytes) => Uint8Array.from(bytes));
}

test.each<[string, unknown]>([
  ["None", null],
  ["{((1, 2),): 3}", { dict: [[{ tuple: [{ tuple: [1, 2] }] }, 3]] }],
  ["[True, False]", [true, false]],
  ["[0, 255, 256, 65535, 65536, -1, -(2**31)]", [0, 255, 256, 65535, 65536, -1, -(2 ** 31)]],
  ["[2**31, 2**53 - 1, 2**53, -(2**70)]", [2 ** 31, 2 ** 53 - 1, { big: "9007199254740992" }, { big: "-1180591620717411303424" }]],
  ["[1.0, -0.0, 1e-308]", [{ float: 1 }, { float: -0 }, { float: 1e-308 }]],
  ['"aü€😀" + "x" * 300', `aü€😀${"x".repeat(300)}`],
  ["((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))", { tuple: [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]].map((tuple) => ({ tuple })) }],
  [
    '{"a": 1, (2, "b"): [3]}',
    {
      dict: [
        ["a", 1],
        [{ tuple: [2, "b"] }, [3]],
      ],
    },
  ],
  ["(lambda l: [l, l])([1])", [[1], [1]]],
])("%s is read, whatever the protocol", (expression, expected) => {
  for (const bytes of pickles(expression)) expect(plain(read(bytes))).toEqual(expected);
});

test("what stands twice in Python is one thing here", () => {
  for (const bytes of pickles("(lambda l: [l, l])([1])")) {
    const list = read(bytes);
    if (!(list instanceof PickleList)) throw new Error("no list");
    expect(list.items[0]).toBe(list.items[1]);
  }
});

test("sets and bytes are read from the protocols that have them, and are calls in the others", () => {
  const [two, , four, five] = pickles('({7}, frozenset([8]), b"\\x00\\xff", bytearray(b"a"))').map(read).map(plain);
  expect(JSON.stringify(two)).toContain('"call":{"global":"__builtin__.set"}');
  expect(four).toMatchObject({ tuple: [{ set: [7] }, { set: [8] }, { bytes: [0, 255] }, { call: { global: "builtins.bytearray" } }] });
  expect(five).toEqual({ tuple: [{ set: [7] }, { set: [8] }, { bytes: [0, 255] }, { bytes: [97] }] });
});

test("an object is what Python would have called, with what it would have been given: nothing is called", () => {
  const before = `
import collections, os
class Evil:
    def __reduce__(self): return (os.system, ("exit 1",))
class Plain: pass
Plain.__module__ = Plain.__qualname__ = "model"
import sys, types
sys.modules["model"] = types.SimpleNamespace(model=Plain)
p = Plain(); p.size = 3
`;
  for (const bytes of pickles("Evil()", before)) expect(plain(read(bytes))).toMatchObject({ call: { global: "posix.system" }, args: { tuple: ["exit 1"] } });
  for (const bytes of pickles("p", before)) expect(plain(read(bytes))).toMatchObject({ args: { tuple: [] }, state: { dict: [["size", 3]] } });
  for (const bytes of pickles('collections.OrderedDict([("a", 1)])', before)) {
    expect(plain(read(bytes))).toMatchObject({ call: { global: "collections.OrderedDict" }, dict: [["a", 1]] });
  }
});

test("hooks give meaning to calls and persistent ids", () => {
  const construct = (callable: PickleGlobal, args: readonly unknown[]) => `${callable} of ${args.join()}`;
  const call = Buffer.from("ctorch\nSize\nK\x07\x85R.", "latin1");
  expect(readPickle(call, { ...inert, construct }, "weights.pt", 0)).toBe("torch.Size of 7");
  expect(readPickle(Uint8Array.of(0x4b, 7, 0x51, 0x2e), inert, "weights.pt", 0)).toBe("storage 7");
});

describe("programs that Python's pickle would not have written are refused", () => {
  const list = 0x5d;
  const dict = 0x7d;
  const set = 0x8f;
  const none = 0x4e;
  const stop = 0x2e;
  const emptyTuple = 0x29;
  test.each<[string, readonly number[], string]>([
    ["an item for what is no list", [none, none, 0x61], "something is appended to a value that is not a list"],
    ["a key for what is no dict", [list, none, none, 0x73], "a key is set in a value that is not a dict"],
    ["a list as a key", [dict, list, none, 0x73], "a key is a list, a dict, a set, or a kind of tuple that torch does not write"],
    ["a tuple with a list as a key", [dict, list, 0x85, none, 0x73], "a key is a list, a dict, a set, or a kind of tuple that torch does not write"],
    [
      "tuples in tuples in a tuple as a key",
      [dict, none, 0x85, 0x85, 0x85, none, 0x73],
      "a key is a list, a dict, a set, or a kind of tuple that torch does not write",
    ],
    [
      "a tuple of nine as a key",
      [dict, 0x28, ...new Array<number>(9).fill(none), 0x74, none, 0x73],
      "a key is a list, a dict, a set, or a kind of tuple that torch does not write",
    ],
    ["an item for what is no set", [list, 0x28, 0x90], "something is added to a value that is not a set"],
    ["an odd set of keys", [dict, 0x28, none, 0x75], "a key has no value"],
    ["a call of a list", [list, emptyTuple, 0x52], "what is called is neither a function nor a class"],
    ["a call with a list", [none, list, 0x52], "the arguments of a call are not a tuple"],
    ["attributes for a set", [set, none, 0x62], "attributes are set on what has none"],
    ["a global whose name is a number", [0x4b, 1, 0x4b, 2, 0x93], "the name of a global is not a string"],
    ["keywords that are no dict", [none, emptyTuple, none, 0x92], "the arguments of a new object are neither a tuple nor a dict"],
    ["an opcode of protocol 0", [0x49, 0x31, 0x0a], "the opcode 0x49 is not one that torch writes"],
    ["a top of nothing", [0x32], "a value is looked for on an empty stack"],
  ])("%s", (_, program, message) => {
    expect(() => read(Uint8Array.from([0x80, 2, ...program, stop]))).toThrow(
      expect.objectContaining({ code: "FORMAT_INVALID", message: expect.stringContaining(`in its pickle, ${message}`) }),
    );
  });

  test("with the place in the file at which the pickle begins", () => {
    expect(() => readPickle(Uint8Array.of(0x80, 9), inert, "weights.pt", 1000)).toThrow(
      expect.objectContaining({ offset: 1002, message: expect.stringContaining("the protocol is 9; the newest known is 5") }),
    );
  });
});
