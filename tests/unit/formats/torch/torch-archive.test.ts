import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readMatrix } from "../../../../src/formats/stored-tensor.js";
import { openTorchArchive } from "../../../../src/formats/torch/torch-archive.js";
import { repetitions } from "../../../repetitions.js";
import { failureOf } from "../failure-of.js";
import { expectedFrom, temporaryDirectory } from "../reference-python.js";

const directory = temporaryDirectory();

/** Save `value`, a Python expression, with torch.save; return every tensor in it, flattened to float64 by torch, under its path. */
function save(path: string, value: string, before = "", options = ""): Record<string, { shape: number[]; values: number[] }> {
  const program = `
import sys, json, torch
from collections import OrderedDict
g = torch.Generator().manual_seed(3)
def named(value, name=""):
    if isinstance(value, torch.Tensor): yield name or "tensor", value
    elif isinstance(value, dict): yield from (x for k, v in value.items() for x in named(v, f"{name}.{k}".lstrip(".")))
    elif isinstance(value, (list, tuple)): yield from (x for k, v in enumerate(value) for x in named(v, f"{name}.{k}".lstrip(".")))
${before}
value = ${value}
torch.save(value, sys.argv[1]${options})
print(json.dumps({k: {"shape": list(t.shape), "values": t.detach().double().flatten().tolist()} for k, t in named(value)}))`;
  return expectedFrom(program, path);
}

function readAll(path: string): Record<string, { shape: readonly number[]; values: readonly number[] }> {
  const file = openTorchArchive(path);
  const tensors = file.tensors.map((tensor) => [tensor.name, { shape: tensor.shape, values: [...readMatrix(tensor).toFloat64()] }] as const);
  file.close();
  return Object.fromEntries(tensors);
}

test.each([
  ["a bare tensor", "torch.randn(3, 2, generator=g)"],
  [
    "a nested state dict",
    '{"model": OrderedDict([("embedding.weight", torch.randn(5, 4, generator=g).to(torch.bfloat16))]), "list": [torch.ones(2), (torch.zeros(0, 3), torch.tensor(5))]}',
  ],
  [
    "every dtype",
    "{str(d): torch.tensor([[0, 1, 2.5], [3, 100, 7.125]]).to(d) for d in (torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64, torch.bool)}",
  ],
  [
    "views of one storage",
    "(lambda base: [base, base[1:4, 2:5], base.t(), base[::2], base[:, ::3], base.view(2, 3, 8)[:, 1:], base.view(2, 3, 8).permute(2, 0, 1)])(torch.randn(6, 8, generator=g))",
  ],
  ["expanded and overlapping views", "[torch.arange(3.).expand(2, 3), torch.tensor(7.).expand(3), torch.arange(6.).unfold(0, 3, 1)]"],
  [
    "parameters, tied and with attributes",
    '(lambda p: {"a": p, "tied": p, "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False)})(torch.nn.Parameter(torch.randn(3, 2, generator=g)))',
  ],
  ["a module's state dict", "torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict()"],
])("%s", (name, value) => {
  const path = join(directory, `${name.replaceAll(" ", "-")}.pt`);
  const expected = save(path, value);
  expect(Object.keys(expected).length).toBeGreaterThan(0);
  expect(readAll(path)).toEqual(expected);
});

test.each([2, 3, 4, 5])("pickle protocol %i", (protocol) => {
  const path = join(directory, `protocol-${protocol}.pt`);
  const expected = save(path, '{"w": torch.randn(3, 2, generator=g), "bytes": b"x", "set": {1, 2}, "big": 2**70}', "", `, pickle_protocol=${protocol}`);
  expect(readAll(path)).toEqual(expected);
});

test("an AdamW state: moments by path, and the plain values beside them", () => {
  const path = join(directory, "optimizer.pt");
  const before = `
w = torch.nn.Parameter(torch.randn(4, 3, generator=g)); opt = torch.optim.AdamW([w], lr=0.25)
w.sum().backward(); opt.step()`;
  const expected = save(path, "opt.state_dict()", before);
  expect(Object.keys(expected)).toEqual(["state.0.step", "state.0.exp_avg", "state.0.exp_avg_sq"]);
  expect(readAll(path)).toEqual(expected);
  const file = openTorchArchive(path);
  expect(file.metadata).toMatchObject({ "param_groups.0.lr": 0.25, "param_groups.0.betas.0": 0.9, "param_groups.0.amsgrad": false });
  expect(file.inertGlobals).toEqual([]);
  file.close();
});

test("a call in the pickle is never made: it is named, and the tensors beside it are read", () => {
  const path = join(directory, "evil.pt");
  const mark = join(directory, "EXECUTED");
  const before = `
import os
class Evil:
    def __reduce__(self): return (os.system, ("touch ${mark}",))`;
  const expected = save(path, '{"w": torch.ones(2, 2), "evil": Evil()}', before);
  expect(readAll(path)).toEqual(expected);
  const file = openTorchArchive(path);
  expect(file.inertGlobals).toEqual(["posix.system"]);
  file.close();
  expect(existsSync(mark)).toBe(false);
});

test("keys named like JavaScript's own machinery are plain names", () => {
  const path = join(directory, "proto.pt");
  save(path, '{"__proto__": {"polluted": torch.ones(1)}, "constructor": torch.ones(2), "toString": 1}');
  const file = openTorchArchive(path);
  expect(file.tensors.map((tensor) => tensor.name)).toEqual(["__proto__.polluted", "constructor"]);
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  file.close();
});

describe("what torch saves and this reader does not read is refused by name", () => {
  test.each([
    ["TorchScript", "torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), sys.argv[1])", /TorchScript/],
    ["another zip archive", 'import zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("a/b", "c")', /not one that torch\.save wrote/],
    [
      "a compressed archive",
      `
import zipfile, io
torch.save({"w": torch.ones(2)}, sys.argv[1] + ".0"); source = zipfile.ZipFile(sys.argv[1] + ".0")
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z: [z.writestr(n, source.read(n)) for n in source.namelist()]`,
      /is compressed/,
    ],
    ["a tensor of the other sign", 'torch.save({"w": torch._neg_view(torch.ones(2))}, sys.argv[1])', /sign turned/],
  ])("%s", (name, program, message) => {
    const path = join(directory, `${name.replaceAll(" ", "-")}.pt`);
    expectedFrom(`import sys, torch, warnings\nwarnings.simplefilter("ignore")\n${program}\nprint(0)`, path);
    const error = failureOf(() => openTorchArchive(path));
    expect(error.code).toBe("FORMAT_UNSUPPORTED");
    expect(error.message).toMatch(message);
  });
});

describe("damaged archives are typed errors", () => {
  const path = join(directory, "sound.pt");
  save(path, '{"w": torch.arange(6.).reshape(2, 3), "v": torch.ones(3)}');
  const sound = readFileSync(path);

  /** A copy with one ASCII text replaced by another of the same length, everywhere. */
  function replaced(from: string, to: string): Buffer {
    expect(to.length).toBe(from.length);
    expect(sound.includes(from)).toBe(true);
    return Buffer.from(sound.toString("latin1").replaceAll(from, to), "latin1");
  }

  test.each<[string, () => Buffer, RegExp]>([
    ["cut off", () => sound.subarray(0, -1), /cut off/],
    ["with bytes after its end", () => Buffer.concat([sound, Buffer.alloc(3)]), /cut off/],
    ["with bytes before its start", () => Buffer.concat([Buffer.alloc(3), sound]), /directory|end record/],
    ["with two entries of one name", () => replaced("data/1", "data/0"), /twice/],
    ["without its storage", () => replaced("data/1", "data/7"), /no record of its name/],
    ["with an unknown opcode", () => replaced("X\u0007\0\0\0storage", "?\u0007\0\0\0storage"), /opcode 0x3f/],
    ["with a persistent id that is no storage", () => replaced("storage", "stowage"), /does not name a storage/],
  ])("%s", (name, bytes, reason) => {
    const damaged = join(directory, `${name.replaceAll(" ", "-")}.pt`);
    writeFileSync(damaged, bytes());
    const error = failureOf(() => openTorchArchive(damaged));
    expect(error.code).toBe("FORMAT_INVALID");
    expect(error.message).toMatch(reason);
    expect(error.offset).toBeGreaterThanOrEqual(0);
  });
});

/** Write an archive of torch's layout around a handmade pickle. */
function archiveOf(path: string, pickle: string): void {
  const program = `
import sys, zipfile, struct
def u32(n): return struct.pack("<I", n)
def text(s): return b"X" + u32(len(s)) + s.encode()
def storage(count): return b"(" + text("storage") + b"ctorch\\nFloatStorage\\n" + text("0") + text("cpu") + b"J" + u32(count) + b"tQ"
def tensor(count, offset, shape, strides): return b"ctorch._utils\\n_rebuild_tensor_v2\\n(" + storage(count) + number(offset) + b"(" + b"".join(map(number, shape)) + b"t(" + b"".join(map(number, strides)) + b"t\\x89)tR"
def number(n): d = n.to_bytes(16, "little", signed=True); return b"\\x8a" + bytes([len(d)]) + d
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("a/data.pkl", b"\\x80\\x02" + ${pickle})
    z.writestr("a/version", "3\\n")
    z.writestr("a/data/0", bytes(24))
print(0)`;
  expectedFrom(program, path);
}

const depth = repetitions(10 ** 6, 10 ** 7);

describe("handmade pickles that torch would never write", () => {
  test("the frame of the attacks itself is sound", () => {
    const path = join(directory, "frame.pt");
    archiveOf(path, "tensor(6, 0, [2, 3], [3, 1]) + b'.'");
    expect(readAll(path)).toEqual({ tensor: { shape: [2, 3], values: [0, 0, 0, 0, 0, 0] } });
  });

  test.each([
    ["a view beyond its storage", "tensor(6, 1, [2, 3], [3, 1]) + b'.'", /goes beyond the 24 bytes/],
    ["a storage beyond its record", "tensor(7, 0, [2, 3], [3, 1]) + b'.'", /should have 28 bytes/],
    ["a negative offset", "tensor(6, -1, [2, 3], [3, 1]) + b'.'", /arguments of a tensor/],
    ["a negative stride", "tensor(6, 5, [2, 3], [-3, 1]) + b'.'", /non-negative/],
    ["a shape of 2^100", "tensor(6, 0, [2**100], [0]) + b'.'", /non-negative integers/],
    ["a product of shapes that overflows", "tensor(6, 0, [2**40, 2**40], [0, 0]) + b'.'", /goes beyond/],
    ["fewer strides than sizes", "tensor(6, 0, [2, 3], [3]) + b'.'", /equally many/],
    ["a list that holds itself", "b']q\\0h\\0a.'", /hold themselves/],
    [
      "lists that unfold to 3^40 values",
      "b']q\\0' + b''.join(b'](' + b'h' + bytes([i]) + b'h' + bytes([i]) + b'h' + bytes([i]) + b'eq' + bytes([i + 1]) for i in range(40)) + b'.'",
      /unfold to more/,
    ],
    [`${depth} nested lists`, `b'\\x5d' * ${depth} + b'a' * (${depth} - 1) + b'.'`, /nest deeper/],
    ["a string longer than the file", "b'X' + u32(2**31) + b'.'", /are left/],
    ["an integer of a gigabyte", "b'\\x8b' + u32(2**30) + b'.'", /at most 1024/],
    ["an empty stack", "b'.'", /empty stack/],
    ["a missing mark", "b't.'", /mark is missing/],
    ["a memo that was never set", "b'h\\x05.'", /memo has no value 5/],
    ["a key without a value", "b'}(K\\x01u.'", /no value/],
    ["a pickle without an end", "b'N'", /1 bytes are wanted/],
    ["a newer protocol", "b'\\x80\\x09N.'", /protocol is 9/],
    ["two storages under one key", "b'(' + storage(6) + storage(5) + b't.'", /two ways/],
    [
      "two tensors of one name",
      "b'}(' + text('a.b') + tensor(6, 0, [2], [1]) + text('a') + b'}' + text('b') + tensor(6, 0, [2], [1]) + b'su.'",
      /two tensors have the name "a\.b"/,
    ],
  ])("%s", (name, pickle, reason) => {
    const path = join(directory, `${name.replaceAll(/\W/g, "-")}.pt`);
    archiveOf(path, pickle);
    const error = failureOf(() => openTorchArchive(path));
    expect(error.code).toBe("FORMAT_INVALID");
    expect(error.message).toMatch(reason);
  });

  test("an expanded tensor of a petabyte is listed and not read", () => {
    const path = join(directory, "petabyte.pt");
    archiveOf(path, "tensor(6, 0, [2**44, 8], [0, 0]) + b'.'");
    const file = openTorchArchive(path);
    const [tensor] = file.tensors;
    expect(failureOf(() => tensor?.rows())).toMatchObject({ code: "FORMAT_INVALID" });
    file.close();
  });
});
