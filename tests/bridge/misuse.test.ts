import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommanderError } from "commander";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { census } from "../../src/analysis/census/census.js";
import { centroid, displacement } from "../../src/analysis/geometry/centroid.js";
import { Bridge } from "../../src/bridge/bridge.js";
import type { Model } from "../../src/bridge/model.js";
import { createProgram } from "../../src/commands/run-program.js";
import { BhBridgeError } from "../../src/errors.js";
import { warmPython as python } from "./real-python.js";
import { rejectionOf } from "./rejection-of.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-misuse-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const small = { vocab_size: 128, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 16 };
const text = join(folder, "text.txt");
writeFileSync(text, "All work and no play makes Jack a dull boy.\n".repeat(4));

let bridge: Bridge;
let other: Bridge;
let model: Model;
let foreign: Model;
beforeAll(async () => {
  [bridge, other] = (await Promise.all([1, 2].map(() => Bridge.start({ python, threads: 1, device: "cpu" })))) as [Bridge, Bridge];
  model = await bridge.createModel({ config: small });
  foreign = await other.createModel({ config: small });
}, 120_000);
afterAll(() => Promise.all([bridge.close(), other.close()]));

/** What a caller without types gives. */
const untyped = (value: unknown) => value as never;
const training = (fields: object) => bridge.createTrainer({ model, data: { corpus: text }, training: { max_steps: 1, ...fields }, out: join(folder, "runs") });

type Misuse = readonly [what: string, call: () => unknown, code: string, message: RegExp];

const ofTheApi: Misuse[] = [
  ["a fraction as a token", () => model.forward([[1.5]]), "USAGE", /^model\.forward: tokens\.0\.0: 1\.5 is not accepted: expected an integer of at least 0/],
  ["a negative token", () => model.forward([[-1]]), "USAGE", /tokens\.0\.0: -1 is not accepted/],
  ["a text in place of tokens", () => model.forward(untyped("text")), "USAGE", /tokens: "text" is not accepted: expected a list/],
  ["rows of different lengths", () => model.forward([[1], [1, 2]]), "CONFIG_INVALID", /lengths are \[1, 2\]/],
  ["a token outside the vocabulary", () => model.forward([[128]]), "CONFIG_INVALID", /token 128 is not in the vocabulary of 128/],
  [
    "half a new token",
    () => model.generate([1], { max_new_tokens: 1.5 }),
    "USAGE",
    /^model\.generate: max_new_tokens: 1\.5 is not accepted: expected an integer of at least 1/,
  ],
  ["no new token", () => model.generate([1], { max_new_tokens: 0 }), "USAGE", /max_new_tokens: 0/],
  ["a probability of 2", () => model.generate([1], { top_p: 2 }), "USAGE", /top_p: 2 is not accepted: expected a number above 0 and of at most 1/],
  ["a temperature of 0", () => model.generate([1], { temperature: 0 }), "USAGE", /temperature: 0 is not accepted: expected a number above 0/],
  ["a negative seed of draws", () => model.generate([1], { seed: -1 }), "USAGE", /seed: -1 is not accepted: expected an integer from 0 to 4294967295/],
  [
    "code to generate with",
    () => model.generate([1], untyped({ custom_generate: folder, trust_remote_code: true })),
    "USAGE",
    /custom_generate: there is no such option; there are .*max_new_tokens/,
  ],
  ["an option of generating that is nearly right", () => model.generate([1], untyped({ max_new_token: 2 })), "USAGE", /did you mean max_new_tokens\?/],
  ["a tensor of a misspelt name", () => model.tensor("transformer.wte.wieght"), "TENSOR_NOT_FOUND", /did you mean 'transformer\.wte\.weight'\?/],
  ["a misspelt end of a tensor's name", () => model.tensor("wte.wieght"), "TENSOR_NOT_FOUND", /did you mean 'transformer\.wte\.weight'\?/],
  ["a number as a tensor's name", () => model.tensor(untyped(5)), "USAGE", /^model\.tensor: name: 5 is not accepted: expected text/],
  [
    "lists in place of a matrix",
    () => model.setTensor("transformer.wte.weight", untyped([[1]])),
    "USAGE",
    /^model\.setTensor: matrix: is not a Matrix: take one from/,
  ],
  ["a device of another name", () => model.to(untyped("gpu")), "USAGE", /^model\.to: device: "gpu" is not accepted: expected one of "cpu", "cuda", "mps"/],
  ["an empty path", () => model.save(""), "USAGE", /^directory: "" is not the path of a directory\. Name the one/],
  ["the census of lists", () => census(untyped([[1]])), "USAGE", /^matrix: a list is not a Matrix: take one from/],
  ["the centroid of nothing", () => centroid(untyped(undefined)), "USAGE", /^matrix: undefined is not a Matrix/],
  ["the displacement of numbers", () => displacement(untyped(1), untyped(2)), "USAGE", /^initial: number is not a Matrix/],
  [
    "a trainer without a model",
    () => bridge.createTrainer(untyped({ training: {} })),
    "USAGE",
    /^createTrainer: model: is not a model of this bridge: make one/,
  ],
  ["a trainer without anything", () => bridge.createTrainer(untyped(undefined)), "USAGE", /^createTrainer: /],
  ["a model of another bridge", () => bridge.createTrainer({ model: foreign }), "USAGE", /model: is not a model of this bridge/],
  ["a field that is nearly right", () => training({ max_step: 2 }), "CONFIG_INVALID", /training\.max_step: unknown field; did you mean training\.max_steps\?/],
  [
    "a batch that is never full",
    () => training({ dataloader_drop_last: true, per_device_train_batch_size: 1000 }),
    "CONFIG_INVALID",
    /training\.per_device_train_batch_size: a batch of 1000 is never full: the text has \d+ windows\. Set a smaller batch, or training\.dataloader_drop_last to false/,
  ],
  [
    "a schedule without its arguments",
    () => training({ lr_scheduler_type: "warmup_stable_decay" }),
    "CONFIG_INVALID",
    /requires num_decay_steps: set training\.lr_scheduler_kwargs/,
  ],
  [
    "a schedule that follows no evaluation",
    () => training({ lr_scheduler_type: "reduce_lr_on_plateau" }),
    "CONFIG_INVALID",
    /requires evaluation: set training\.eval_strategy/,
  ],
  [
    "a model without options",
    () => bridge.createModel(untyped({ confg: small })),
    "USAGE",
    /^createModel: confg: there is no such option; did you mean config\?/,
  ],
  [
    "a million blocks",
    () => bridge.createModel({ config: { ...small, n_embd: 64, n_layer: 1e6 } }),
    "CONFIG_INVALID",
    /model: its weights need about 199,\d{3},\d{3},\d{3} bytes and this machine has [\d,]+: make it smaller/,
  ],
  ["a model as wide as a library", () => bridge.createModel({ config: { ...small, n_embd: 2 ** 20 } }), "CONFIG_INVALID", /need about [\d,]+ bytes/],
  [
    "heads that do not divide the width",
    () => bridge.createModel({ config: { ...small, n_head: 3 } }),
    "CONFIG_INVALID",
    /16 is not divisible by model\.n_head = 3/,
  ],
  ["a negative seed", () => bridge.createModel({ config: small, seed: -1 }), "CONFIG_INVALID", /seed: -1 is not accepted: expected an integer from 0/],
  ["a model that is not there", () => bridge.createModel({ from: join(folder, "none") }), "CONFIG_INVALID", /model\.from: .*none/],
  ["no thread", () => Bridge.start({ python, threads: 0 }), "USAGE", /^Bridge\.start: threads: 0 is not accepted: expected an integer from 1 to 1024 or null/],
  ["an option of a start that is nearly right", () => Bridge.start(untyped({ thread: 1 })), "USAGE", /thread: there is no such option; did you mean threads\?/],
];

test.each(ofTheApi)("the API is told of %s", async (_, call, code, message) => {
  const error = await rejectionOf((async () => call())());
  expect(error).toBeInstanceOf(BhBridgeError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
});

const ofTheProgram: (readonly [args: readonly string[], code: string, message: RegExp])[] = [
  [["trian"], "USAGE", /unknown command 'trian'[\s\S]*train/],
  [["train", "--step", "3"], "USAGE", /unknown option '--step'[\s\S]*--steps/],
  [["train", "--preset", "quik"], "CONFIG_INVALID", /did you mean "quick"\?/],
  [["train", "--set", "model.n_head=3"], "CONFIG_INVALID", /model\.n_head: 3 does not fit model\.n_embd[\s\S]*from --set/],
  [["train", "--set", "training.lr_scheduler_type=cosine_with_min_lr"], "CONFIG_INVALID", /requires min_lr or min_lr_rate: set training\.lr_scheduler_kwargs/],
  [["train", "--set", "nonsense"], "CONFIG_INVALID", /is not path=value, for example/],
  [["train", "--seed", "-1"], "CONFIG_INVALID", /seed: -1 is not accepted/],
  [["census"], "USAGE", /missing required argument/],
  [["census", join(folder, "none.safetensors")], "FILE_NOT_FOUND", /none\.safetensors/],
  [["export", folder, "--to", "npy", "--out", ""], "USAGE", /Expected a path/],
  [["export", folder, "--to", "pickle", "--out", "x"], "USAGE", /Allowed choices are hf, safetensors/],
  [["runs", "rm", folder, "--yes"], "RUN_NOT_FOUND", /is not removed, since nothing shows that it is a run/],
  [["runs", "note", folder, "great"], "RUN_NOT_FOUND", /no readable run\.json/],
];

test.each(ofTheProgram)("the program is told of %j", async (args, code, message) => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const error = await rejectionOf((await createProgram()).parseAsync([...args], { from: "user" })).finally(() => written.mockRestore());
  expect(error instanceof CommanderError ? "USAGE" : error).toEqual(error instanceof CommanderError ? code : expect.objectContaining({ code }));
  expect(error).toMatchObject({ message: expect.stringMatching(message) });
});

test("nothing of a saved model's directory is run or followed, whatever it says", async () => {
  await using saved = await bridge.createModel({ config: small, norm: "rmsnorm" });
  const directory = join(folder, "hostile");
  await saved.save(directory);
  const ran = join(folder, "ran");
  const code = `open(${JSON.stringify(ran)}, "w").write("x")\n`;
  writeFileSync(join(directory, "modeling_gpt2_rmsnorm.py"), code);
  mkdirSync(join(directory, "custom_generate"));
  writeFileSync(join(directory, "custom_generate", "generate.py"), code);
  const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
  writeFileSync(join(directory, "config.json"), JSON.stringify({ ...config, attn_implementation: "somebody/kernel", _attn_implementation: "somebody/kernel" }));
  writeFileSync(join(directory, "generation_config.json"), JSON.stringify({ custom_generate: directory, max_length: 3 }));
  await using loaded = await bridge.createModel({ from: directory });
  expect((await loaded.tensor("transformer.wte.weight")).bytes).toEqual((await saved.tensor("transformer.wte.weight")).bytes);
  expect(await loaded.generate([65], { max_new_tokens: 4 })).toHaveLength(5);
  expect(existsSync(ran)).toBe(false);
});

test.each([
  [
    "an index that leads out of it",
    "FORMAT_INVALID",
    (path: string) => {
      renameSync(join(path, "model.safetensors"), join(folder, "outside.safetensors"));
      writeFileSync(join(path, "model.safetensors.index.json"), '{"metadata":{},"weight_map":{"transformer.wte.weight":"../outside.safetensors"}}');
    },
  ],
  [
    "a link that leads out of it",
    "FORMAT_INVALID",
    (path: string) => {
      renameSync(join(path, "model.safetensors"), join(folder, "linked.safetensors"));
      symlinkSync(join(folder, "linked.safetensors"), join(path, "model.safetensors"));
    },
  ],
  [
    "weights that run",
    "FORMAT_INVALID",
    (path: string) => {
      rmSync(join(path, "model.safetensors"));
      writeFileSync(join(path, "pytorch_model.bin"), Buffer.concat([Buffer.from([0x80, 2]), Buffer.from("cos\nsystem\n(S'touch x'\ntR.")]));
    },
  ],
  [
    "an adapter of another model",
    "CONFIG_INVALID",
    (path: string) => writeFileSync(join(path, "adapter_config.json"), '{"base_model_name_or_path":"elsewhere"}'),
  ],
] as const)("a saved model with %s is refused before Python sees it", async (name, code, change) => {
  const directory = join(folder, name);
  await model.save(directory);
  change(directory);
  const error = await rejectionOf(bridge.createModel({ from: directory }));
  expect(error).toMatchObject({ code, python: undefined });
  expect((error as Error).message).not.toContain("weights_only");
});

test("building a model can be cancelled, and the bridge is as usable as before", async () => {
  const config = { ...small, n_embd: 8, n_layer: 3000 };
  const error = await rejectionOf(bridge.createModel({ config, signal: AbortSignal.timeout(200) }));
  expect(error).toMatchObject({ code: "ABORTED" });
  await using next = await bridge.createModel({ config: small });
  expect(next.parameterCount).toBeGreaterThan(0);
});
