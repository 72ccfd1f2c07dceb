import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

let cwd: string;

async function saveConfig(name: string, config: Record<string, unknown>): Promise<void> {
  await mkdir(join(cwd, name), { recursive: true });
  await writeFile(join(cwd, name, "config.json"), JSON.stringify(config));
}

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "bh-bridge-checkpoint-"));
  const dropout = { resid_pdrop: 0.1, embd_pdrop: 0, attn_pdrop: 0 };
  const small = { model_type: "gpt2", n_embd: 32, n_layer: 1, n_head: 2, n_positions: 64, vocab_size: 128, ...dropout, eos_token_id: 50256 };
  await saveConfig("plain", { ...small, architectures: ["GPT2LMHeadModel"], dtype: "bfloat16" });
  await saveConfig("rms", { ...small, architectures: ["GPT2RMSNormLMHeadModel"], dtype: "float32" });
  await saveConfig("rms-own", { ...small, model_type: "gpt2_with_rmsnorm", architectures: ["GPT2RMSNormLMHeadModel"], dtype: "float32" });
  await saveConfig("llama-layer", { model_type: "llama_with_layernorm", architectures: ["LlamaWithLayerNormForCausalLM"], hidden_size: 64 });
  await saveConfig("llama-old", { model_type: "llama", architectures: ["LlamaWithRMSNormForCausalLM"], hidden_size: 64 });
  await saveConfig("llama", { model_type: "llama", hidden_size: 64 });
});
afterAll(() => rm(cwd, { recursive: true }));

const from = (directory: string) => [{ path: "model.from", value: directory, source: "--from" }];

test("the architecture of a saved model replaces the preset's, and its embedding stays as it was saved", async () => {
  const { config, sources } = await resolveRunConfig({ cwd, assignments: from("plain") });
  expect(config.model).toMatchObject({
    norm: "layernorm",
    dtype: "bfloat16",
    from: join(cwd, "plain"),
    n_embd: 32,
    n_layer: 1,
    n_positions: 64,
    resid_pdrop: 0.1,
  });
  expect(config.init).toEqual({ kind: "normal" });
  expect(sources.get("model.n_embd")).toBe(`checkpoint ${join(cwd, "plain")}`);
});

test.each([
  ["nope", /nope is not a saved model: there is no such folder or file\. Give the folder of a saved model/],
  [".", /is not a saved model: it has no config\.json\. Give the folder of a saved model/],
])("--from %s says in words what is missing and what to give", async (path, message) => {
  await expect(resolveRunConfig({ cwd, assignments: from(path) })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.not.stringContaining("ENOENT"),
    issues: [{ path: "model.from", message: expect.stringMatching(message), source: "--from" }],
  });
});

/** In place of Python, which tests of the built program use: the fields as they are in the file. */
const checkpoint = {
  describeWeights: () => Promise.reject(new Error("no file of weights here")),
  readSaved: async (directory: string) => ({ fields: JSON.parse(await readFile(join(directory, "config.json"), "utf8")), dtype: null }),
  countVocabulary: () => Promise.reject(new Error("no code here")),
  isOfRun: (directory: string) => directory.endsWith("final"),
};

test.each([
  ["rms", "gpt2", "rmsnorm"], // saved by 0.2 or earlier
  ["rms-own", "gpt2", "rmsnorm"],
  ["llama-layer", "llama", "layernorm"],
  ["llama-old", "llama", "rmsnorm"],
])("a model saved with replaced norms is read as its family with that norm: %s", async (name, type, norm) => {
  const { config } = await resolveRunConfig({ cwd, assignments: from(name) }, { checkpoint });
  expect(config.model).toMatchObject({ type, norm, dtype: "float32" });
});

test("what the caller sets wins over the saved model", async () => {
  const { config } = await resolveRunConfig({ cwd, assignments: from("plain"), set: ["init.kind=singular", "model.dtype=float32"] });
  expect([config.init, config.model.dtype]).toEqual([{ kind: "singular" }, "float32"]);
});

test("a directory without a model, and a model without a causal head, are refused", async () => {
  await expect(resolveRunConfig({ cwd, assignments: from("nowhere") })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "model.from", message: expect.stringContaining("is not a saved model"), source: "--from" }],
  });
  await saveConfig("clip", { model_type: "clip" });
  await expect(resolveRunConfig({ cwd, assignments: from("clip") })).rejects.toThrow('holds a model of type "clip", which has no causal head in transformers');
});

test("a model of another family is read by the names of its own configuration", async () => {
  const { config } = await resolveRunConfig({ cwd, assignments: from("llama") }, { checkpoint });
  expect(config.model).toMatchObject({ type: "llama", norm: "native", from: join(cwd, "llama") });
});

test.each([
  ["a saved model", { assignments: from("plain") }, "causal", /^checkpoint /],
  ["a saved model over the notebook's preset", { preset: "rmsnorm-11.2a", assignments: from("plain") }, "causal", /^checkpoint /],
  ["a family that is not the notebook's", { input: { model: { type: "llama", vocab_size: 128 } } }, "causal", /^default of model\.type$/],
  ["a preset", {}, "double", /^default$/],
  ["a preset of another family", { preset: "qwen3-singular" }, "double", /^default$/],
  ["a saved model, where it is set", { assignments: from("plain"), set: ["data.label_shift=double"] }, "double", /^--set$/],
  ["another family, where it is set", { input: { model: { type: "llama", vocab_size: 128 }, data: { label_shift: "double" } } }, "double", /^input$/],
] as const)("labels of %s", async (_, given, shift, source) => {
  const { config, sources } = await resolveRunConfig({ cwd, ...given });
  expect([config.data.label_shift, sources.get("data.label_shift")]).toEqual([shift, expect.stringMatching(source)]);
});

test("a complete configuration of an earlier version keeps its labels and its hash", async () => {
  const earlier = await resolveRunConfig({ cwd, assignments: from("plain"), set: ["data.label_shift=double"] });
  await writeFile(join(cwd, "complete.json"), JSON.stringify(earlier.config));
  const again = await resolveRunConfig({ cwd, file: "complete.json" });
  expect([again.config.data.label_shift, again.hash]).toEqual(["double", earlier.hash]);
});

test("code beside a saved model is executed only if the model is of a run, or the user names the code", async () => {
  for (const name of ["run/final", "downloaded"]) {
    const sha256 = createHash("sha256").update("source").digest("hex");
    const code = { path: "modeling_own.py", sha256 };
    await saveConfig(name, { model_type: "python", class: "Net", fields: { vocab_size: 9 }, embedding: null, vocab_size: 9, code, dtype: "float32" });
    await writeFile(join(cwd, name, code.path), "source");
  }
  const set = ["data.window_length=8"];
  const { config } = await resolveRunConfig({ cwd, set, assignments: from("run/final") }, { checkpoint });
  expect(config.model).toMatchObject({ type: "python", class: "Net", vocab_size: 9, dtype: "float32", code: { path: join(cwd, "run/final/modeling_own.py") } });
  const downloaded = { cwd, set, assignments: from("downloaded") };
  await expect(resolveRunConfig(downloaded, { checkpoint })).rejects.toThrow("holds a model of somebody's own code, which is executed only if you name it");
  const named = await resolveRunConfig({ ...downloaded, set: [...set, "model.code=downloaded/modeling_own.py"] }, { checkpoint });
  expect(named.config.model).toMatchObject({ code: { path: join(cwd, "downloaded/modeling_own.py"), source: "source" } });
});
