import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bridge } from "../../../../src/bridge/bridge.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";
import type { RunConfigInput } from "../../../../src/config/run-config-schema.js";
import {
  confounds,
  effectiveParameters,
  experimentConfounds,
  type RunFacts,
  readRunFacts,
  recordedPackages,
} from "../../../../src/sweep/experiment/confounds.js";
import { expectedFrom, python, temporaryDirectory } from "../../formats/reference-python.js";
import { pin as environment } from "../../runs/environment-pin.js";
import { tinyRun } from "./tiny-run.js";

const out = temporaryDirectory();

test("the facts of a run are those that Python finds in its files and in itself", async () => {
  await using bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
  const run = await tinyRun(bridge, out);
  const program = `
import sys, json, hashlib
from importlib.metadata import version
import torch
from safetensors.torch import load_file
embedding = load_file(sys.argv[1] + "/history.safetensors")["embedding_history"][0]
model = load_file(sys.argv[1] + "/final/model.safetensors")
print(json.dumps({
    "embedding": hashlib.sha256(embedding.view(torch.int16).numpy().tobytes()).hexdigest(),
    "parameters": sum(tensor.numel() for tensor in model.values()),
    "numpy": version("numpy"),
    "corpus": hashlib.sha256(open(sys.argv[1] + "/../corpus.txt", "rb").read()).hexdigest(),
}))`;
  const expected = expectedFrom<Record<"embedding" | "parameters" | "numpy" | "corpus", string>>(program, run);
  const facts = await readRunFacts(run);
  expect(facts.initialTensors).toEqual({ "transformer.wte.weight": expected.embedding });
  expect((await readRunFacts(run, async () => ({ "other.weight": "0", "tok.weight": expected.embedding }))).embedding).toBe("tok.weight");
  expect(facts.parameters).toBe(expected.parameters);
  expect(facts.corpus.sha256).toBe(expected.corpus);
  expect(facts.windowOrder).toMatch(/^[0-9a-f]{64}$/);
  expect(facts.environment).toMatchObject({ threads: 1, numpy: expected.numpy });
  expect(facts.packages).toMatchObject({ "Python package numpy": expected.numpy, "npm package zod": expect.stringMatching(/^4\./) });
  expect(facts.config.model).toMatchObject({ n_embd: 16 });
});

const directory = temporaryDirectory();

function runWith(name: string, files: Record<string, string>): string {
  const run = join(directory, name);
  mkdirSync(run);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(run, file), text);
  return run;
}

test("versions are of both processes, by kind and name; a package that was not found has none", () => {
  const run = runWith("both", {
    "environment.python.json": '{"python":"3.11","packages":{"numpy":"2.4.6"}}',
    "environment.node.json": '{"node":"v20","packages":{"zod":"4.6.0","gone":null}}',
  });
  expect(recordedPackages(run)).toEqual({ "Python package numpy": "2.4.6", "npm package zod": "4.6.0" });
});

test("a process that wrote nothing has no packages, and damage is reported", () => {
  expect(recordedPackages(runWith("none", {}))).toEqual({});
  expect(() => recordedPackages(runWith("damaged", { "environment.node.json": "{" }))).toThrow(expect.objectContaining({ code: "RUN_CORRUPT" }));
});

function factsOf(input: RunConfigInput, facts: Partial<RunFacts> = {}): RunFacts {
  return {
    config: parseRunConfig(input),
    parameters: input.model?.norm === "layernorm" ? 116_480 : 116_160,
    corpus: { sha256: "a".repeat(64), windows: 1000 },
    windowOrder: "0".repeat(64),
    environment,
    packages: { "Python package scipy": "1.17.0" },
    initialTensors: { "transformer.wte.weight": "e".repeat(64) },
    embedding: "transformer.wte.weight",
    ...facts,
  };
}

const layernorm = { model: { norm: "layernorm" } } as const;
const found = (control: RunFacts, treatment: RunFacts) => confounds(control, treatment).map(({ what }) => what);

test("RMSNorm against LayerNorm: the norms' weight decay and the biases, each with what removes it", () => {
  expect(confounds(factsOf(layernorm), factsOf({}))).toEqual([
    {
      what: "weight decay of the norms' weights (5 tensors, 320 numbers)",
      control: "0",
      treatment: "0.01",
      remove: "training.decay_norms=never or training.decay_norms=always",
    },
    {
      what: "number of parameters: LayerNorm has biases, RMSNorm has none (5 tensors, 320 numbers)",
      control: "116,480",
      treatment: "116,160",
      remove: null,
    },
  ]);
});

test.each(["never", "always"] as const)("with decay_norms %s the biases alone are left", (decay_norms) => {
  const training = { decay_norms };
  expect(found(factsOf({ ...layernorm, training }), factsOf({ training }))).toEqual([expect.stringContaining("number of parameters")]);
});

test("without weight decay nothing decays, and the norms differ in nothing but biases", () => {
  const training = { weight_decay: 0 };
  expect(found(factsOf({ ...layernorm, training }), factsOf({ training }))).toHaveLength(1);
});

test("weight decay that the arms name is what is asked about", () => {
  expect(found(factsOf({ training: { weight_decay: 0 } }), factsOf({}))).toEqual([]);
});

test("arms that differ in nothing but what they name have no confound", () => {
  expect(found(factsOf({ ...layernorm, noise: { epsilon: 0 } }), factsOf({ ...layernorm, noise: { epsilon: 3e-5 } }))).toEqual([]);
});

test("noise shifts the stream that dropout draws from", () => {
  const model = { resid_pdrop: 0.1 };
  const [statement] = confounds(factsOf({ model }), factsOf({ model, noise: { epsilon: 3e-5 } }));
  expect(statement).toMatchObject({ what: expect.stringContaining("dropout"), remove: expect.stringContaining("model.resid_pdrop=0") });
});

test("tensors that differ before the first step are a confound, unless the arms set the start", () => {
  const other = { initialTensors: { "transformer.wte.weight": "f".repeat(64), "transformer.wpe.weight": "1".repeat(64) } };
  expect(confounds(factsOf({}), factsOf({ training: { learning_rate: 1 } }, other))).toEqual([
    {
      what: "values of transformer.wte.weight before the first step",
      control: "eeeeeeeeeeee",
      treatment: "ffffffffffff",
      remove: "init.kind=file with one start for both arms",
    },
  ]);
  const start = (noise_dtype: "float32" | "bfloat16") => ({ init: { kind: "unit-noise", noise_dtype } }) as const;
  expect(found(factsOf(start("float32")), factsOf(start("bfloat16"), other))).toEqual([]);
});

test("the embedding of another family is known by its own name", () => {
  const facts = (hash: string) => ({ initialTensors: { "model.embed_tokens.weight": hash.repeat(64) }, embedding: "model.embed_tokens.weight" });
  const start = (sigma: number) => ({ init: { kind: "snowball", sigma } }) as const;
  expect(found(factsOf(start(1e-5), facts("e")), factsOf(start(1e-3), facts("f")))).toEqual([]);
  expect(found(factsOf({}, facts("e")), factsOf({}, facts("f")))).toEqual(["values of model.embed_tokens.weight before the first step"]);
});

test("another text, or other windows of it, are a confound", () => {
  expect(found(factsOf({}), factsOf({}, { corpus: { sha256: "b".repeat(64), windows: 1000 } }))).toEqual(["text that is trained on"]);
  expect(found(factsOf({}), factsOf({}, { corpus: { sha256: "a".repeat(64), windows: 900 } }))).toEqual(["windows of text, and so their order"]);
});

test("another order of the same windows is a confound, unless it was not recorded or the arms name it", () => {
  const other = { windowOrder: "1".repeat(64) };
  expect(confounds(factsOf({}), factsOf({ training: { weight_decay: 0 } }, other))).toEqual([
    {
      what: "order of the windows of text",
      control: "000000000000",
      treatment: "111111111111",
      remove: "seeds.data, the same for both arms",
    },
  ]);
  expect(found(factsOf({}), factsOf({}, { windowOrder: null }))).toEqual([]);
  expect(found(factsOf({}), factsOf({ training: { data_seed: 7 } }, other))).toEqual([]);
  expect(found(factsOf({}), factsOf({ training: { train_sampling_strategy: "sequential" } }, other))).toEqual([]);
});

test("another thread count, PyTorch or package is a confound; a thread count that the arms name is none", () => {
  const elsewhere = { environment: { ...environment, threads: 2, torch: "2.14.0" }, packages: {} };
  expect(confounds(factsOf({}), factsOf({}, elsewhere)).map(({ what, control, treatment }) => [what, control, treatment])).toEqual([
    ["CPU threads", "1", "2"],
    ["PyTorch", "2.13.0", "2.14.0"],
    ["Python package scipy", "1.17.0", "not there"],
  ]);
  const named = factsOf({ threads: 2 }, { environment: { ...environment, threads: 2 } });
  expect(found(factsOf({ threads: 1 }), named)).toEqual([]);
});

test("a statement that holds for several pairs stands once, with their seeds", () => {
  const pair = (seed: number, treatment: RunFacts) => ({ arm: "rmsnorm", seed, control: factsOf({ training: { decay_norms: "never" } }), treatment });
  const same = factsOf({ training: { decay_norms: "never" } });
  const moved = factsOf({ training: { decay_norms: "never" } }, { environment: { ...environment, threads: 4 } });
  expect(experimentConfounds([pair(42, moved), pair(43, same), pair(44, moved)])).toEqual([
    { arm: "rmsnorm", what: "CPU threads", control: "1", treatment: "4", remove: "threads, the same for both arms", seeds: [42, 44] },
  ]);
});

const architectures = [{}, { n_layer: 3, n_embd: 12, n_inner: 20, tie_word_embeddings: false }];
const cases = (["rmsnorm", "layernorm"] as const).flatMap((norm) =>
  (["hf", "never", "always", "all"] as const).flatMap((decay_norms) =>
    architectures.map((model) => parseRunConfig({ model: { ...model, norm }, training: { decay_norms, weight_decay: 0.03 } })),
  ),
);

/** The parameters of the model that Python builds, and whether the Trainer of a run lets each decay. */
const program = `
import json, sys
sys.path.insert(0, "python")
from bh_bridge.engines.run_trainer import RunTrainer
from bh_bridge.models.model import build_model

def parameters(case):
    architecture = {name: value for name, value in case["model"].items() if name not in ("norm", "dtype", "from")}
    model = build_model(architecture, case["model"]["norm"], "bfloat16", {"kind": "normal"}, 1)
    trainer = RunTrainer.__new__(RunTrainer)  # without data and optimizer, which say nothing about names
    trainer._decay_norms = case["training"]["decay_norms"]
    decays = trainer.get_decay_parameter_names(model)
    return {name: [each.numel(), case["training"]["weight_decay"] if name in decays else 0] for name, each in model.named_parameters()}

print(json.dumps([parameters(case) for case in json.loads(sys.argv[1])]))
`;

test("names, sizes and weight decay are those of the model and the Trainer in Python, for both norms and every decay_norms", () => {
  const found = cases.map((config) => Object.fromEntries(effectiveParameters(config).map(({ name, size, weightDecay }) => [name, [size, weightDecay]])));
  expect(found).toEqual(
    expectedFrom(
      program,
      JSON.stringify(cases.map(({ model, training: { decay_norms, weight_decay } }) => ({ model, training: { decay_norms, weight_decay } }))),
    ),
  );
});

test("the seed's model has 116,160 parameters with RMSNorm, 116,480 with LayerNorm", () => {
  const sizeOf = (norm: string) => effectiveParameters(parseRunConfig({ model: { norm } })).reduce((sum, { size }) => sum + size, 0);
  expect([sizeOf("rmsnorm"), sizeOf("layernorm")]).toEqual([116_160, 116_480]);
});
