import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { configHash, diffRunConfigs, typeName } from "../../../src/config/config-hash.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";

async function hashOf(...set: string[]): Promise<string> {
  return (await resolveRunConfig({ set })).hash;
}

test("it is the SHA-256 of the configuration's JSON with sorted keys and no spaces", () => {
  const config = parseRunConfig({});
  const {
    engine: { name: engine },
    seeds: _seeds,
    track: _track,
    model,
    data,
    noise: { last_step: _last, ...noise },
    record: { model: _weights, ...record },
    ...rest
  } = config;
  // What came later is left out where it changes nothing, so that older runs keep their hash.
  const { type: _type, ...architecture } = model;
  const { field: _field, documents: _documents, window_length: _length, tokenizer: _tokenizer, train_tokenizer: _trained, windows: _windows, ...text } = data;
  const identity = { ...rest, engine, model: architecture, data: text, noise, record };
  const names = [...JSON.stringify(config).matchAll(/"(\w+)":/g)].map(([, name = ""]) => name);
  const canonical = JSON.stringify(identity, names.sort()); // a list of names is also their order, at any depth
  expect(canonical).toMatch(/^\{"checkpoint":\{"every":1000,"keep":2\},"data":\{"corpus":null,"held_out":0,.*"weight_decay":0\.01\}\}$/);
  expect(configHash(config)).toBe(createHash("sha256").update(canonical).digest("hex"));
});

test("a name, an interpreter, the way to the same bits and the directory of the corpus do not count; everything else does", async () => {
  const plain = await hashOf("data.corpus=/a/text.txt");
  expect(await hashOf("data.corpus=/b/text.txt", "name=mine", "python=/usr/bin/python3", "exact_step=off", "graphed_step=off")).toBe(plain);
  expect(await hashOf("data.corpus=/a/text.txt", "compiled_step=on"), "of the reference, which has none").toBe(plain);
  expect(await hashOf("data.corpus=/a/other.txt")).not.toBe(plain);
  expect(await hashOf("data.corpus=/a/text.txt", "seed=43")).not.toBe(plain);
  expect(await hashOf("data.corpus=/a/text.txt", "checkpoint.every=10")).not.toBe(plain);
});

test("a stream with a seed of its own counts where that is another one", async () => {
  expect(await hashOf("seeds.data=42")).toBe(await hashOf());
  const hashes = await Promise.all([hashOf(), ...["weights", "init", "data", "noise"].map((stream) => hashOf(`seeds.${stream}=1`))]);
  expect(new Set(hashes).size).toBe(5);
});

test("the configurations of earlier versions keep their hashes", async () => {
  expect(await hashOf()).toBe("4620ef03b5dd4364b202b4d5b9f5356dd2f2e380acf5c7fc23266e196956c960");
});

test("the last step with noise counts, and noise after every step is what it always was", async () => {
  const hashes = await Promise.all([hashOf(), hashOf("noise.last_step=null"), hashOf("noise.last_step=5")]);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test("weights that are recorded count, and none is what it always was", async () => {
  const hashes = await Promise.all([hashOf(), hashOf("record.model=off"), hashOf("record.model=deltas")]);
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});

test("windows side by side count, and so does a tokenizer that is trained, unless one is given", async () => {
  const hashes = await Promise.all([hashOf(), hashOf("data.windows=chunks"), hashOf("data.train_tokenizer=char-bpe"), hashOf("data.tokenizer=/a.json")]);
  expect(new Set(hashes).size).toBe(4);
  expect(await hashOf("data.tokenizer=/a.json", "data.train_tokenizer=char-bpe")).toBe(hashes[3]);
});

test("an engine and what it does to the bits count", async () => {
  const hashes = await Promise.all([hashOf(), hashOf("engine=fast"), hashOf("engine=fast", "compiled_step=off"), hashOf("engine=fast", "compiled_step=on")]);
  expect(new Set(hashes).size).toBe(4);
});

test("the width of a stack counts, and none is what it always was", async () => {
  const [alone, one, two, three] = await Promise.all(["compiled_step=auto", "stack=1", "stack=2", "stack=3"].map((set) => hashOf("engine=fast", set)));
  expect(one).toBe(alone);
  expect(new Set([one, two, three]).size).toBe(3);
});

test("the number of processes counts, and one is what it always was", async () => {
  const [plain, one, two] = await Promise.all([hashOf(), hashOf("processes=1"), hashOf("processes=2")]);
  expect(one).toBe(plain);
  expect(two).not.toBe(plain);
});

test("the order of the keys does not count", () => {
  expect(configHash(parseRunConfig({ training: { bf16: true, max_steps: 3 }, seed: 1 }))).toBe(
    configHash(parseRunConfig({ seed: 1, training: { max_steps: 3, bf16: true } })),
  );
});

const seed = parseRunConfig({});

test("equal configurations differ in nothing", () => {
  expect(diffRunConfigs(seed, parseRunConfig({}))).toEqual([]);
});

test("each field that differs is named once, in the schema's order", () => {
  const other = parseRunConfig({ checkpoint: { keep: 3 }, seed: 7, training: { learning_rate: 3e-4 } });
  expect(diffRunConfigs(seed, other)).toEqual([
    { path: "seed", before: 42, after: 7, typeChanged: false },
    { path: "training.learning_rate", before: 1e-3, after: 3e-4, typeChanged: false },
    { path: "checkpoint.keep", before: 2, after: 3, typeChanged: false },
  ]);
});

test("a field of another kind of initial state is there on one side alone", () => {
  const snowball = parseRunConfig({ init: { kind: "snowball", sigma: 1e-4 } });
  expect(diffRunConfigs(seed, snowball)).toEqual([
    { path: "init.kind", before: "singular", after: "snowball", typeChanged: false },
    { path: "init.sigma", before: undefined, after: 1e-4, typeChanged: false },
  ]);
});

test("a list in place of a name is another type; a value in place of null is not", () => {
  expect(diffRunConfigs(seed, parseRunConfig({ record: { rows: [1] } }))).toEqual([{ path: "record.rows", before: "all", after: [1], typeChanged: true }]);
  expect(diffRunConfigs(seed, parseRunConfig({ threads: 2 }))).toEqual([{ path: "threads", before: null, after: 2, typeChanged: false }]);
});

test("an object with fields in place of an empty one is one type, and in place of a text another", () => {
  const kwargs = (lr_scheduler_kwargs: unknown) => parseRunConfig({ training: { lr_scheduler_type: "cosine", lr_scheduler_kwargs } });
  expect(diffRunConfigs(kwargs("{}"), kwargs({ num_cycles: 2 })).map(({ path, typeChanged }) => [path, typeChanged])).toEqual([
    ["training.lr_scheduler_kwargs", true],
    ["training.lr_scheduler_kwargs.num_cycles", false],
  ]);
});

test.each([
  [[1], "list"],
  ["a", "text"],
  [1, "number"],
  [true, "boolean"],
  [undefined, "object"],
])("%j is called a %s", (value, name) => {
  expect(typeName(value)).toBe(name);
});

test("trackers are not part of the hash", () => {
  const config = parseRunConfig({});
  expect(configHash(parseRunConfig({ track: "wandb" }))).toBe(configHash(config));
  expect(parseRunConfig({ track: ["mlflow", "wandb", "mlflow"] }).track).toEqual(["mlflow", "wandb"]);
});
