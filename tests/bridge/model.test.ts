import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { census } from "../../src/analysis/census/census.js";
import { Bridge } from "../../src/bridge/bridge.js";
import { Matrix } from "../../src/formats/matrix.js";
import { openCheckpoint } from "../../src/runs/open-run-directory.js";
import { warmPython as python } from "./real-python.js";
import { rejectionOf } from "./rejection-of.js";

const out = mkdtempSync(join(tmpdir(), "bh-bridge-model-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const wte = "transformer.wte.weight";
const small = { vocab_size: 128, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 16 };

let bridge: Bridge;
beforeAll(async () => {
  bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
});
afterAll(() => bridge.close());

test.each([
  ["rmsnorm", 116_160],
  ["layernorm", 116_480],
] as const)("the seed's model with %s has %i weights", async (norm, count) => {
  await using model = await bridge.createModel({ config: {}, norm });
  expect(model.parameterCount).toBe(count);
  expect(model.parameters[0]).toEqual({ name: wte, shape: [128, 64], dtype: "BF16" });
  const names = model.parameters.map(({ name }) => name);
  expect(names.includes("transformer.ln_f.bias")).toBe(norm === "layernorm");
});

test.each([
  [{ kind: "singular" }, 1],
  [{ kind: "snowball", sigma: 1 }, 128],
  [{ kind: "unit-noise", sigma: 1, noise_dtype: "bfloat16" }, 128],
  [{ kind: "normal" }, 128],
] as const)("init %o gives %i distinct rows", async (init, unique) => {
  await using model = await bridge.createModel({ config: small, init, seed: 3 });
  expect(census(await model.tensor(wte)).unique).toBe(unique);
});

test("a tensor comes back as it was set, bit for bit; from another dtype it is rounded to nearest, ties to even", async () => {
  await using model = await bridge.createModel({ config: small, dtype: "bfloat16" });
  const bytes = Uint8Array.from({ length: 128 * 16 * 2 }, (_, index) => (index * 37) % 127); // no exponent of NaN or infinity
  await model.setTensor(wte, new Matrix("BF16", [128, 16], bytes));
  expect((await model.tensor(wte)).bytes).toEqual(bytes);
  // bfloat16 has 8 bits of significand: between 1 and 2 its numbers are 2^-7 apart.
  const values = Float32Array.from({ length: 128 * 16 }, (_, index) => [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20][index % 3] ?? 0);
  await model.setTensor(wte, new Matrix("F32", [128, 16], new Uint8Array(values.buffer)));
  expect([...(await model.tensor(wte)).toFloat64().slice(0, 3)]).toEqual([1, 1 + 2 ** -6, 1 + 2 ** -7]);
});

test("a tensor's name that is nearly right is answered with the right one, and a wrong shape with both", async () => {
  await using model = await bridge.createModel({ config: small });
  expect(await rejectionOf(model.tensor("transformer.wte.weigth"))).toMatchObject({
    code: "TENSOR_NOT_FOUND",
    message: expect.stringContaining(`"${wte}"`.replaceAll('"', "'")),
  });
  const error = await rejectionOf(model.setTensor(wte, new Matrix("F32", [2, 2], new Uint8Array(16))));
  expect(error).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(/\[128, 16\].*\[2, 2\]/) });
});

test("forward gives the logits of every position, and the same ones again", async () => {
  await using model = await bridge.createModel({ config: small, dtype: "float32", init: { kind: "normal" } });
  const tokens = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const logits = await model.forward(tokens);
  expect(logits).toMatchObject({ shape: [2, 3, 128], dtype: "F32" });
  expect((await model.forward(tokens)).bytes).toEqual(logits.bytes);
});

test.each([
  ["rows of different lengths", [[1], [1, 2]], /lengths are \[1, 2\]/],
  ["no tokens", [[]], /lengths are \[0\]/],
  ["more tokens than positions", [new Array<number>(17).fill(1)], /17 tokens.*16 positions/],
  ["a token outside the vocabulary", [[128]], /token 128 .*128/],
])("forward refuses %s", async (_, tokens, message) => {
  await using model = await bridge.createModel({ config: small });
  expect(await rejectionOf(model.forward(tokens))).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(message) });
});

test("generate continues the prompt: greedily always alike, by draws as the seed says", async () => {
  await using model = await bridge.createModel({ config: small, init: { kind: "normal" }, seed: 1 });
  const greedy = await model.generate([72, 105], { max_new_tokens: 5 });
  expect(greedy.slice(0, 2)).toEqual([72, 105]);
  expect(greedy).toHaveLength(7);
  expect(await model.generate([72, 105], { max_new_tokens: 5 })).toEqual(greedy);
  const drawn = (seed: number) => model.generate([72], { max_new_tokens: 12, do_sample: true, temperature: 2, seed });
  expect(await drawn(1)).toEqual(await drawn(1));
  expect(await drawn(1)).not.toEqual(await drawn(2));
  expect(await rejectionOf(model.generate([1], { max_new_tokens: 16 }))).toMatchObject({ code: "CONFIG_INVALID" });
});

test("generating can be cancelled, and the model is as usable as before", async () => {
  await using model = await bridge.createModel({ config: { ...small, n_positions: 4096 } });
  const started = performance.now();
  expect(await rejectionOf(model.generate([1], { max_new_tokens: 4000, signal: AbortSignal.timeout(100) }))).toMatchObject({ code: "ABORTED" });
  expect(performance.now() - started).toBeLessThan(1000);
  await expect(model.generate([1], { max_new_tokens: 1 })).resolves.toHaveLength(2);
});

test("a saved model is the same one when it is loaded again, by this package with and without Python", async () => {
  await using model = await bridge.createModel({ config: small, norm: "rmsnorm", init: { kind: "unit-noise", sigma: 0.01 }, seed: 9 });
  const directory = join(out, "saved");
  await model.save(directory);
  const { bytes } = await model.tensor(wte);
  await using loaded = await bridge.createModel({ from: directory });
  expect(loaded.norm).toBe("rmsnorm");
  expect(loaded.parameterCount).toBe(model.parameterCount);
  expect((await loaded.tensor(wte)).bytes).toEqual(bytes);
  await using checkpoint = await openCheckpoint(directory);
  expect((await checkpoint.matrix(wte)).bytes).toEqual(bytes);
});

test("saving replaces nothing but an unchanged earlier save, and that only when it is asked to", async () => {
  await using model = await bridge.createModel({ config: small });
  const precious = join(out, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "thesis.tex"), "years");
  for (const overwrite of [false, true]) {
    const error = await rejectionOf(model.save(precious, { overwrite }));
    expect(error).toMatchObject({ code: "FILE_UNWRITABLE", message: expect.stringContaining("contains thesis.tex but no MANIFEST.json of a saved model") });
  }
  expect(readdirSync(precious)).toEqual(["thesis.tex"]);
  const directory = join(out, "twice");
  mkdirSync(directory);
  await model.save(directory);
  const names = readdirSync(directory);
  expect(await rejectionOf(model.save(directory))).toMatchObject({ code: "FILE_UNWRITABLE", message: expect.stringContaining("overwrite: true") });
  await model.save(directory, { overwrite: true });
  expect(readdirSync(directory)).toEqual(names);
  writeFileSync(join(directory, "config.json"), "{}");
  expect(await rejectionOf(model.save(directory, { overwrite: true }))).toMatchObject({
    code: "FILE_UNWRITABLE",
    message: expect.stringContaining("config.json differs"),
  });
  expect(readFileSync(join(directory, "config.json"), "utf8")).toBe("{}");
  expect(readdirSync(out).filter((name) => name.startsWith("."))).toEqual([]);
});

test.each(["", " ", ".", "..", "/"])("saving into %j is refused before anything is touched", async (directory) => {
  await using model = await bridge.createModel({ config: small });
  expect(await rejectionOf(model.save(directory))).toMatchObject({ code: "USAGE", message: expect.stringMatching(/^directory: .*Name /) });
  expect(existsSync(".git")).toBe(true);
});

test("the rows of a file are an initial state; a file that is not there is told before anything is built", async () => {
  await using model = await bridge.createModel({ config: small, init: { kind: "normal" }, seed: 5 });
  const directory = join(out, "rows");
  await model.save(directory);
  const path = join(directory, "model.safetensors");
  await using copy = await bridge.createModel({ config: small, init: { kind: "file", path, tensor: wte }, seed: 6 });
  expect((await copy.tensor(wte)).bytes).toEqual((await model.tensor(wte)).bytes);
  expect(await rejectionOf(bridge.createModel({ config: small, init: { kind: "file", path: join(out, "none") } }))).toMatchObject({ code: "FILE_NOT_FOUND" });
});

test("a model that was closed is stale, and closing it again is no error", async () => {
  const model = await bridge.createModel({ config: small });
  await model.close();
  expect(await rejectionOf(model.tensor(wte))).toMatchObject({ code: "HANDLE_STALE" });
  await model.close();
});

test("a model moves to a device, and not to one that is not there", async () => {
  await using model = await bridge.createModel({ config: small });
  await model.to("cpu");
  const { cuda, mps } = bridge.environment.devices;
  const absent = cuda.length === 0 ? "cuda" : mps ? undefined : "mps";
  if (absent) expect(await rejectionOf(model.to(absent))).toMatchObject({ code: "DEVICE_UNAVAILABLE" });
});
