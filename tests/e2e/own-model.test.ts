import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { sha256OfFile } from "../../src/runs/checksums.js";
import { readRunConfig } from "../../src/runs/run-config.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { projectRoot, run, temporaryFolder, warmPython } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const corpus = join(folder.path, "text.txt");
const example = join(projectRoot, "examples/one_layer_attention.py");
const code = join(folder.path, "code", "net.py");
const out = join(folder.path, "runs");

const configFile = join(folder.path, "own.json");
const base = {
  model: { type: "python", code: "code/net.py", class: "OneLayerAttention", fields: { vocab_size: 128, width: 16 } },
  init: { kind: "normal" },
  data: { corpus, window_length: 32 },
  training: { max_steps: 12, per_device_train_batch_size: 4 },
  device: "cpu",
  threads: 1,
};

async function train(config: object, ...more: string[]): Promise<string> {
  writeFileSync(configFile, JSON.stringify(config));
  const { stdout, stderr } = await run(["train", "-c", configFile, "--out", out, "--json", ...more]);
  return JSON.parse(stdout || `{"run": ${JSON.stringify(stderr)}}`).run;
}

/** What the program prints to stderr for a configuration that it refuses with exit code 2. */
async function refusal(config: object): Promise<string> {
  writeFileSync(configFile, JSON.stringify(config));
  const { exitCode, stderr } = await run(["train", "-c", configFile, "--out", join(folder.path, "refused")]);
  expect(exitCode, stderr).toBe(2);
  return stderr;
}

const history = (directory: string) => tensorBytes(join(directory, "history.safetensors"), "embedding_history");
const plain = (name: string) => tensorBytes(join(folder.path, `${name}.safetensors`), "history");

let ofModel = "";

beforeAll(async () => {
  mkdirSync(join(folder.path, "code"));
  copyFileSync(example, code);
  writeFileSync(corpus, readFileSync(builtInPath(), "utf8").slice(0, 20_000));
  const script = readFileSync(join(import.meta.dirname, "plain_own_model.py"), "utf8");
  await printedBy(script, [example, corpus, folder.path]);
  ofModel = await train(base, "--set", "checkpoint.every=5");
}, 240_000);

test("the example trains to the bits of a plain script with Trainer", () => {
  expect(history(ofModel).equals(plain("model"))).toBe(true);
});

test("so it does with a loss of its own, and in float32", async () => {
  const training = { ...base.training, bf16: false, compute_loss_func: { code: "code/net.py", function: "penalised_loss" } };
  const directory = await train({ ...base, model: { ...base.model, dtype: "float32" }, training });
  expect(history(directory).equals(plain("loss"))).toBe(true);
});

test("so it does from an initial embedding of its own", async () => {
  const directory = await train({ ...base, init: { kind: "python", code: "code/net.py", function: "two_clusters" } });
  expect(history(directory).equals(plain("init"))).toBe(true);
});

test("the run has a copy of the code and its checksum, and no source in its configuration", () => {
  expect(sha256OfFile(join(ofModel, "model.py"))).toBe(sha256OfFile(example));
  const { model } = JSON.parse(readFileSync(join(ofModel, "config.json"), "utf8"));
  expect(model.code).toEqual({ path: code, sha256: sha256OfFile(example) });
  expect(readdirSync(join(ofModel, "final"))).toEqual(["MANIFEST.json", "config.json", "model.safetensors", "modeling_own.py"]);
});

test("the copy serves to reproduce and to resume, after the file has changed", async () => {
  const stopped = await train(base, "--set", "checkpoint.every=5", "--set", "training.lr_scheduler_type=constant", "--steps", "7");
  const whole = await train(base, "--set", "checkpoint.every=5", "--set", "training.lr_scheduler_type=constant");
  appendFileSync(code, "raise SystemExit('changed')\n");
  const again = await run(["reproduce", ofModel, "--json"]);
  expect(again.exitCode, again.stderr).toBe(0);
  const resumed = await run(["resume", stopped, "--steps", "12", "--json"]);
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  copyFileSync(example, code);
  expect(history(stopped).equals(history(whole))).toBe(true);
});

test("a sweep trains the code that was planned, by its content", async () => {
  const other = readFileSync(example, "utf8").replace("heads: int = 2", "heads: int = 4");
  writeFileSync(join(folder.path, "code", "four.py"), other);
  const file = join(folder.path, "sweep.json");
  writeFileSync(
    file,
    JSON.stringify({ base: { ...base, training: { ...base.training, max_steps: 3 } }, grid: { "model.code": ["code/net.py", "code/four.py"] } }),
  );
  const { exitCode, stdout, stderr } = await run(["sweep", file, "--out", join(folder.path, "sweeps"), "--workers", "1", "--json"]);
  expect(exitCode, stderr).toBe(0);
  const { trials } = JSON.parse(stdout);
  const recorded = trials.map((trial: { run: string }) => readRunConfig(trial.run).model);
  expect(recorded.map(({ code: { sha256 } }: { code: { sha256: string } }) => sha256)).toEqual([
    sha256OfFile(example),
    sha256OfFile(join(folder.path, "code", "four.py")),
  ]);
});

test("createModel builds it, and its save needs its code to be named", async () => {
  await using bridge = await Bridge.start({ python: warmPython, threads: 1, device: "cpu" });
  const fields = { vocab_size: 128, width: 16 };
  const init = { kind: "normal" } as const;
  await using model = await bridge.createModel({ code, class: "OneLayerAttention", fields, init, dtype: "float32" });
  expect([model.embedding, model.head, model.norm]).toEqual(["tok.weight", "tok.weight", "native"]);
  const weight = await model.tensor("tok.weight");
  expect(Buffer.from(weight.bytes).equals(plain("loss").subarray(0, weight.bytes.byteLength))).toBe(true);
  const logits = await model.forward([[1, 2, 3]]);
  expect(logits.shape).toEqual([1, 3, 128]);
  const directory = join(folder.path, "saved");
  await model.save(directory);
  await expect(bridge.createModel({ from: directory })).rejects.toThrow("set model.code to its path");
  await using again = await bridge.createModel({ from: directory, code: join(directory, "modeling_own.py") });
  expect((await again.forward([[1, 2, 3]])).bytes).toEqual(logits.bytes);
  const greedy = await model.generate([1, 2, 3], { max_new_tokens: 1 });
  const last = [...logits.toFloat64().slice(2 * 128)];
  expect(greedy).toEqual([1, 2, 3, last.indexOf(Math.max(...last))]);
  expect(await model.generate([1], { do_sample: true, temperature: 0.5, top_k: 1 })).toEqual(await model.generate([1]));
});

test("training starts from the run by its name, with the copy of its code", async () => {
  writeFileSync(configFile, JSON.stringify({ ...base, model: {} }));
  const { stdout, stderr } = await run(["train", "-c", configFile, "--from", ofModel, "--steps", "1", "--out", out, "--json"]);
  const { run: directory } = JSON.parse(stdout || `{"run": ${JSON.stringify(stderr)}}`);
  const state = 128 * 16 * 2;
  expect(
    history(directory)
      .subarray(0, state)
      .equals(plain("model").subarray(12 * state)),
  ).toBe(true);
});

test("a changed copy in the run is refused", async () => {
  appendFileSync(join(ofModel, "model.py"), "# changed\n");
  const { exitCode, stderr } = await run(["reproduce", ofModel]);
  copyFileSync(example, join(ofModel, "model.py"));
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/model\.py has changed: its SHA-256 is/);
});

test("a vocabulary that nothing names is counted; a forward pass without a loss is refused before the run begins, and so is engine fast", async () => {
  const source =
    "from torch import nn\n\nclass Net(nn.Embedding):\n    def forward(self, input_ids, labels):\n        return {'logits': super().forward(input_ids)}\n";
  writeFileSync(join(folder.path, "no_loss.py"), source);
  const model = { type: "python", code: "no_loss.py", class: "Net", fields: { num_embeddings: 128, embedding_dim: 8 }, embedding: "weight" };
  expect(await refusal({ ...base, model })).toMatch(/forward\(input_ids, labels\) of Net must return its loss/);
  expect(readdirSync(join(folder.path, "refused"))).toEqual([]);
  expect(await refusal({ ...base, engine: "fast" })).toMatch(/engine fast does not support python/);
});
