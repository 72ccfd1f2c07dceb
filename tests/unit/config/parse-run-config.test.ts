import fc from "fast-check";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { resolveRunConfig } from "../../../src/config/resolve-run-config.js";
import { BhBridgeError, type ConfigIssue } from "../../../src/errors.js";

async function failure(...set: string[]): Promise<BhBridgeError> {
  const error: unknown = await resolveRunConfig({ set }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof BhBridgeError)) throw new Error(`loaded, or failed otherwise: ${String(error)}`);
  return error;
}

test("one error reports all problems, with path, remedy and source", async () => {
  const error = await failure("training.learning_rate=fast", "training.max_steps=-1", "training.learning_rat=1");
  expect(error.code).toBe("CONFIG_INVALID");
  expect(error.message).toBe(
    [
      "The configuration has 3 problems:",
      "  training.max_steps: -1 is not accepted: expected an integer of at least 1",
      "    from --set",
      '  training.learning_rate: "fast" is not accepted: expected a number of at least 0',
      "    from --set",
      "  training.learning_rat: unknown field; did you mean training.learning_rate?",
      "    from --set",
    ].join("\n"),
  );
  expect(error.issues?.[1]).toEqual({
    path: "training.learning_rate",
    message: '"fast" is not accepted: expected a number of at least 0',
    source: "--set",
  });
});

test.each([
  ["training.max_step=3", "training.max_step: unknown field; did you mean training.max_steps?"],
  ["learning_rate=3", "learning_rate: unknown field; did you mean training.learning_rate?"],
  ["model.learning_rate=3", "model.learning_rate: unknown field; did you mean training.learning_rate?"],
  ["trainin.max_steps=3", "trainin: unknown field; did you mean training?"],
  ["lerning_rate=3", "lerning_rate: unknown field; did you mean training.learning_rate?"],
  ["data.zzz=1", "data.zzz: unknown field; data has corpus, field, documents, tokenizer, train_tokenizer, windows, label_shift, window_length, held_out"],
  ["training.zzzzzz=1", "training.zzzzzz: unknown field"],
  ["seed.x=1", 'seed: {"x":1} is not accepted: expected an integer from 0 to 4294967295'],
  ["training=null", "training: null is not accepted: expected an object with max_steps, per_device_train_batch_size"],
  ["model.norm=rmsnrom", 'model.norm: "rmsnrom" is not accepted: did you mean "rmsnorm"? expected one of "rmsnorm", "layernorm"'],
  ["device=cudaa", 'device: "cudaa" is not accepted: did you mean "cuda"? expected one of "auto", "cpu", "cuda", "mps" or "cuda:N"'],
  ["device=gpu", 'device: "gpu" is not accepted: did you mean "cuda"? expected'],
  ["data.held_out=0.9", "data.held_out: 0.9 is not accepted: expected a number from 0 to 0.5"],
  ["training.adam_beta1=1", "training.adam_beta1: 1 is not accepted: expected a number of at least 0 and below 1"],
  ["threads=0", "threads: 0 is not accepted: expected an integer from 1 to 1024 or null"],
  ["record.rows=[1,-1]", "record.rows.1: -1 is not accepted: expected an integer of at least 0"],
  ['record.tensors=["wte","grad_nrm"]', 'record.tensors.1: "grad_nrm" is not accepted: did you mean "grad_norm"? expected one of "wte", "wte.grad"'],
  ["engine=fst", 'engine.name: "fst" is not accepted: did you mean "fast"? expected one of "trainer", "fast", "portable"'],
  ["engine=slow", 'engine.name: "slow" is not accepted: expected one of "trainer", "fast", "portable"'],
  ["init.sigma=1", 'init.sigma: init.kind "singular" has no sigma: set init.kind to snowball or unit-noise'],
  ["init.kind=file", "init.path: is missing: expected text"],
  [
    "init.kind=snowbal",
    'init.kind: "snowbal" is not accepted: did you mean "snowball"? expected one of "normal", "singular", "qwen", "snowball", "unit-noise", "file"',
  ],
  ["training.seed=1", "training.seed: is set by bh-bridge: one seed serves all random streams: set `seed`"],
  [
    "training.output_dir=x",
    "training.output_dir: is set by bh-bridge: every run has its own directory: set `out`, the folder of runs (`--out` on the command line)",
  ],
  ["model.use_cache=true", "model.use_cache: is set by bh-bridge: training does not use the cache of keys and values"],
  ["training.__proto__.x=1", "training.__proto__: is not a field name"],
  ["constructor=1", "constructor: is not a field name"],
  ['training={"__proto__":{"max_steps":1}}', "training.__proto__: is not a field name"],
  ["nonsense", "nonsense: is not path=value, for example training.learning_rate=3e-4"],
  ["=1", "=1: is not path=value, for example training.learning_rate=3e-4"],
  ["a..b=1", "a..b=1: is not path=value, for example training.learning_rate=3e-4"],
])("--set %s: %s", async (set, expected) => {
  const { issues = [] } = await failure(set);
  expect(issues.map(({ path, message }) => `${path}: ${message}`.slice(0, expected.length))).toEqual([expected]);
});

test("the error for a field of another init kind names the kind that has it", async () => {
  const { issues = [] } = await failure("init.kind=snowball", "init.noise_dtype=float32");
  expect(issues.map(({ message }) => message)).toEqual(['init.kind "snowball" has no noise_dtype: set init.kind to unit-noise']);
});

test("a long value is shortened in the message", async () => {
  const { issues = [] } = await failure(`device=${"x".repeat(500)}`);
  expect(issues[0]?.message.length).toBeLessThan(160);
});

test("whatever JSON a file holds, it loads or fails with CONFIG_INVALID", async () => {
  const sections = ["seed", "data", "model", "init", "training", "record", "checkpoint", "preset", "kind", "rows", "max_steps"];
  const configuration = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, fc.jsonValue({ maxDepth: 1 }), fc.dictionary(fc.oneof(fc.constantFrom(...sections), fc.string()), tie("value"))),
    root: fc.dictionary(fc.oneof(fc.constantFrom(...sections), fc.string()), tie("value")),
  })).root;
  await fc.assert(
    fc.asyncProperty(configuration, async (values) => {
      const outcome: unknown = await resolveRunConfig({ input: values as never }).catch((reason: unknown) => reason);
      return outcome instanceof BhBridgeError ? outcome.code === "CONFIG_INVALID" && (outcome.issues?.length ?? 0) > 0 : !(outcome instanceof Error);
    }),
    { numRuns: 300 },
  );
});

test("an object that contains itself is refused, not followed for ever", async () => {
  const cycle: Record<string, unknown> = {};
  cycle["again"] = cycle;
  await expect(resolveRunConfig({ input: { training: { lr_scheduler_kwargs: cycle as never } } })).rejects.toThrow("is nested more than 16 levels deep");
});

function issuesOf(values: unknown, sources?: ReadonlyMap<string, string>, earlier?: readonly ConfigIssue[]): readonly ConfigIssue[] {
  try {
    parseRunConfig(values, sources, earlier);
  } catch (error) {
    if (error instanceof BhBridgeError) return error.issues ?? [];
    throw error;
  }
  return [];
}

test("what was left out is filled in, and what was given stays", () => {
  const config = parseRunConfig({ seed: 7, training: { max_steps: 5 } });
  expect(config).toMatchObject({ seed: 7, engine: { name: "trainer", processes: 1 }, training: { max_steps: 5, learning_rate: 1e-3 } });
});

test("wrong fields, unknown fields and broken rules are told at once", () => {
  const paths = issuesOf({ seed: -1, modle: {}, model: { n_embd: 63 } }).map(({ path }) => path);
  expect(paths.toSorted()).toEqual(["model.n_embd", "modle", "seed"]);
});

test("what was found earlier comes first, and is enough to refuse a configuration that is right", () => {
  const earlier = [{ path: "x", message: "is not path=value" }];
  expect(issuesOf({}, new Map(), earlier)).toEqual(earlier);
  expect(issuesOf({ seed: -1 }, new Map(), earlier).map(({ path }) => path)).toEqual(["x", "seed"]);
});

test("a problem has the source of its value, or of what the value stands in", () => {
  const sources = new Map([
    ["seed", "--seed"],
    ["training", "my.yaml:2:1"],
  ]);
  expect(issuesOf({ seed: -1, training: { max_steps: 0 } }, sources).map(({ path, source }) => [path, source])).toEqual([
    ["seed", "--seed"],
    ["training.max_steps", "my.yaml:2:1"],
  ]);
});

test.each([null, 5, "text", []])("%j is no configuration", (values) => {
  expect(issuesOf(values)).toMatchObject([{ path: "(the whole file)" }]);
});
