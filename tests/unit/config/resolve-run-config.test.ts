import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { presetNames } from "../../../src/config/presets.js";
import { type ConfigSources, resolveRunConfig } from "../../../src/config/resolve-run-config.js";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bh-bridge-config-"));
  await mkdir(join(directory, "configs"));
  await writeFile(
    join(directory, "configs", "mine.yaml"),
    "preset: quick\ntraining:\n  max_steps: 3\n  weight_decay: 0.3\n  adam_beta1: 0.3\ndata:\n  corpus: text.txt\n",
  );
  await writeFile(join(directory, "configs", "bad.yaml"), "seed: 1\ntraining:\n  max_steps: none\n");
  await writeFile(join(directory, "configs", "misnamed.yaml"), "seed: 1\npreset: quik\n");
});
afterAll(() => rm(directory, { recursive: true }));

function load(sources: ConfigSources) {
  return resolveRunConfig({ cwd: directory, ...sources });
}

// Each row adds the next stronger source of training.max_steps; every weaker one is still there and must lose.
const weakest: ConfigSources = {};
const withPreset: ConfigSources = { ...weakest, preset: "quick" };
const withFile: ConfigSources = { ...withPreset, file: "configs/mine.yaml" };
const withInput: ConfigSources = { ...withFile, input: { training: { max_steps: 4 } } };
const withAlias: ConfigSources = { ...withInput, aliases: { steps: "5" } };
const withSet: ConfigSources = { ...withAlias, set: ["training.max_steps=6"] };

test.each([
  { layer: "defaults", sources: weakest, value: 10_000, source: "default" },
  { layer: "--preset", sources: withPreset, value: 800, source: "preset quick" },
  { layer: "--config", sources: withFile, value: 3, source: join("configs", "mine.yaml:3:3") },
  { layer: "input", sources: withInput, value: 4, source: "input" },
  { layer: "aliases", sources: withAlias, value: 5, source: "--steps" },
  { layer: "--set", sources: withSet, value: 6, source: "--set" },
])("$layer wins over what is weaker, and is named as the source", async ({ sources, value, source }) => {
  const resolved = await load(sources);
  expect(resolved.config.training.max_steps).toBe(value);
  expect(resolved.sources.get("training.max_steps")).toBe(source);
});

test("a stronger source changes its own fields alone", async () => {
  const { config } = await load({ file: "configs/mine.yaml", set: ["training.weight_decay=0.1"] });
  expect(config.training).toMatchObject({ max_steps: 3, weight_decay: 0.1, adam_beta1: 0.3, learning_rate: 0.001 });
});

test("--preset wins over the preset that the file names", async () => {
  expect((await load({ file: "configs/mine.yaml" })).preset).toBe("quick");
  const { preset, config } = await load({ file: "configs/mine.yaml", preset: "layernorm-control" });
  expect([preset, config.model.norm, config.training.max_steps]).toEqual(["layernorm-control", "layernorm", 3]);
});

test("every alias sets its field", async () => {
  const aliases = { corpus: "a.txt", steps: "7", seed: "8", device: "cpu", threads: "2", from: undefined, engine: "trainer", name: "12", python: "python3" };
  const { config } = await load({ aliases });
  expect(config).toMatchObject({
    data: { corpus: join(directory, "a.txt") },
    training: { max_steps: 7 },
    seed: 8,
    device: "cpu",
    threads: 2,
    engine: { name: "trainer" },
    name: "12",
    python: "python3",
  });
});

test("a wrong alias is told by the name of the option", async () => {
  await expect(load({ aliases: { steps: "many" } })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    issues: [{ path: "training.max_steps", message: '"many" is not accepted: expected an integer of at least 1', source: "--steps" }],
  });
});

test("another init.kind leaves the fields of the old one behind; the same kind keeps them", async () => {
  expect((await load({ preset: "snowball-11.2c", set: ["init.kind=singular"] })).config.init).toEqual({ kind: "singular" });
  expect((await load({ preset: "snowball-11.2c", set: ["init.sigma=0.5"] })).config.init).toEqual({ kind: "snowball", sigma: 0.5 });
});

test("a relative path starts at the file that has it, else at the working directory", async () => {
  expect((await load({ file: "configs/mine.yaml" })).config.data.corpus).toBe(join(directory, "configs", "text.txt"));
  expect((await load({ set: ["data.corpus=text.txt"] })).config.data.corpus).toBe(join(directory, "text.txt"));
  expect((await load({ input: { init: { kind: "file", path: "w.safetensors" } } })).config.init).toEqual({
    kind: "file",
    path: join(directory, "w.safetensors"),
  });
});

test("what differs from the preset is listed with old value, new value, source and a change of type", async () => {
  const { changes } = await load({ preset: "quick", aliases: { threads: "2" }, set: ["record.rows=[1,2]", "training.fp16=false"] });
  expect(changes).toEqual([
    { path: "threads", before: null, after: 2, typeChanged: false, source: "--threads" },
    { path: "record.rows", before: "all", after: [1, 2], typeChanged: true, source: "--set" },
    { path: "training.fp16", before: undefined, after: false, typeChanged: false, source: "--set" },
  ]);
  expect((await load({ preset: "quick", set: ["training.max_steps=800"] })).changes).toEqual([]);
});

test("a problem in a file is told with its line and column", async () => {
  await expect(load({ file: "configs/bad.yaml" })).rejects.toMatchObject({
    issues: [{ path: "training.max_steps", message: '"none" is not accepted: expected an integer of at least 1', source: join("configs", "bad.yaml:3:3") }],
  });
});

test("an unknown preset is refused with the nearest one, wherever it is named", async () => {
  const message = `there is no preset "quik": did you mean "quick"? there are ${presetNames.join(", ")}`;
  await expect(load({ preset: "quik" })).rejects.toMatchObject({ issues: [{ path: "preset", message, source: "--preset" }] });
  await expect(load({ file: "configs/misnamed.yaml" })).rejects.toMatchObject({
    issues: [{ path: "preset", message, source: join("configs", "misnamed.yaml:2:1") }],
  });
  await expect(load({ preset: "constructor" })).rejects.toThrow('there is no preset "constructor"');
});

test("an unknown preset and a wrong field are told together", async () => {
  await expect(load({ preset: "quik", set: ["seed=-1"] })).rejects.toMatchObject({ issues: [{ path: "preset" }, { path: "seed" }] });
});

test("the tokenizer of a saved model is used, unless the caller names or trains another, or none", async () => {
  const folder = join(directory, "models");
  const files = {
    own: ["tokenizer.json", "vocab.json", "merges.txt"],
    parts: ["vocab.json", "merges.txt"],
    half: ["vocab.json"],
    pieces: ["tokenizer.model"],
    bytes: [],
    "run/checkpoints/step-000010": [],
    run: ["run.json", "tokenizer.json"],
  };
  const config = { model_type: "gpt2", n_embd: 32, n_layer: 1, n_head: 2, n_positions: 64, vocab_size: 512 };
  for (const [name, each] of Object.entries(files)) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, "config.json"), JSON.stringify(config));
    for (const file of each) await writeFile(join(folder, name, file), "{}");
  }
  const tokenizer = async (name: string, set: string[] = []) => {
    const { config, sources } = await resolveRunConfig({ cwd: folder, assignments: [{ path: "model.from", value: name, source: "--from" }], set });
    return [config.data.tokenizer, sources.get("data.tokenizer")];
  };
  const from = (name: string) => `checkpoint ${join(folder, name)}`;
  expect(await tokenizer("own")).toEqual([join(folder, "own/tokenizer.json"), from("own")]);
  for (const name of ["parts", "pieces"]) expect(await tokenizer(name)).toEqual([join(folder, name), from(name)]);
  for (const name of ["half", "bytes"]) expect(await tokenizer(name)).toEqual([null, "default"]);
  const step = "run/checkpoints/step-000010";
  expect(await tokenizer(step)).toEqual([join(folder, "run/tokenizer.json"), from(step)]);
  expect(await tokenizer("own", ["data.tokenizer=null"])).toEqual([null, "--set"]);
  expect(await tokenizer("own", ["data.tokenizer=other.json"])).toEqual([join(folder, "other.json"), "--set"]);
  expect(await tokenizer("own", ["data.train_tokenizer=byte-bpe"])).toEqual([null, "default"]);
});
