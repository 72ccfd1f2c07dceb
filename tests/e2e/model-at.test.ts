import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareDocumentSchema, exportDocumentSchema, generateDocumentSchema } from "../../src/commands/documents.js";
import { exportRun, generateText, openRun } from "../../src/index.js";
import { sweepDocumentSchema } from "../../src/sweep/sweep-document.js";
import { expectedFrom } from "../unit/formats/reference-python.js";
import { recordOtherNumber } from "./flip-bit.js";
import { run, temporaryFolder, warmPython } from "./program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const within = { timeout: 240_000 };
const text = join(folder.path, "times.txt");
const training = { max_steps: 12, per_device_train_batch_size: 4, logging_steps: 7, learning_rate: 1e-3, weight_decay: 0.1 };
const base = { device: "cpu", threads: 1, data: { corpus: text, label_shift: "causal" }, training, checkpoint: { every: 5, keep: 3 } };
const gpt2 = { model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 } };
const llama = {
  model: {
    ...{ type: "llama", vocab_size: 128, hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{ num_key_value_heads: 1, max_position_embeddings: 16 },
  },
};
/** Every checkpoint, which holds torch's own weights. */
const every = { checkpoint: { every: 1, keep: 20 } };
const sparse = { record: { every: 4 }, checkpoint: { every: null, keep: 2 } };
const portable = { engine: "portable" };
const float = { model: { ...gpt2.model, dtype: "float32" }, training: { ...training, bf16: false } };

let [trainer, ofTrainer, portableRun, ofPortable, llamaRun, ofLlama, floatRun] = ["", "", "", "", "", "", ""];
beforeAll(async () => {
  writeFileSync(text, "It was the best of times, it was the worst of times, it was the age of wisdom, ".repeat(2));
  const cases = [gpt2, { ...gpt2, ...every }, { ...gpt2, ...portable, ...sparse }, { ...gpt2, ...portable, ...every }, llama, { ...llama, ...every }, float];
  const runs: string[] = [];
  // One Python trains those of a family.
  for (const [index, group] of [cases.filter((each) => each.model !== llama.model), cases.filter((each) => each.model === llama.model)].entries()) {
    const sweep = join(folder.path, `runs-${index}.json`);
    writeFileSync(sweep, JSON.stringify({ base, cases: group }));
    const { stdout, stderr } = await run(["sweep", sweep, "--workers", "1", "--out", join(folder.path, "sweeps"), "--json"]);
    expect(stdout, stderr).not.toBe("");
    runs.push(...sweepDocumentSchema.parse(JSON.parse(stdout)).trials.map((trial) => trial.run ?? ""));
  }
  [trainer = "", ofTrainer = "", portableRun = "", ofPortable = "", floatRun = "", llamaRun = "", ofLlama = ""] = runs;
}, 240_000);

const weights = (directory: string) => readFileSync(join(directory, "model.safetensors"));
const checkpoint = (directory: string, step: number) => join(directory, "checkpoints", `step-${String(step).padStart(6, "0")}`);
/** Everything in a run, with the time of its last change. */
const content = (directory: string) =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).map((path) => [path, statSync(join(directory, path)).mtimeMs]);

test.each<{ what: string; runs: () => [directory: string, truth: string]; steps: Record<number, string> }>([
  { what: "engine trainer", runs: () => [trainer, ofTrainer], steps: { 5: "checkpoint", 7: "replay", 11: "replay", 12: "final" } },
  { what: "engine portable without checkpoints, at a step that was not recorded", runs: () => [portableRun, ofPortable], steps: { 7: "replay" } },
  { what: "a Llama, from the start", runs: () => [llamaRun, ofLlama], steps: { 3: "replay" } },
])("the model of a step has the weights of torch at that step: $what", within, async ({ runs, steps }) => {
  const [directory, truth] = runs();
  const before = content(directory);
  const opened = await openRun(directory);
  for (const [step, from] of Object.entries(steps)) {
    using model = await opened.modelAt(Number(step), { python: warmPython });
    expect([model.from, model.verified > 0]).toEqual([from, true]);
    const expected = await openRun(truth).then((run) => run.modelAt(Number(step)));
    expect(expected.from).toBe(Number(step) === 12 ? "final" : "checkpoint");
    expect(model.tensors.map(({ name }) => name).sort()).toEqual(expected.tensors.map(({ name }) => name).sort());
    for (const { name } of expected.tensors) expect(model.tensor(name), `step ${step}, ${name}`).toEqual(expected.tensor(name));
    expect(weights(model.directory).equals(weights(checkpoint(truth, Number(step))))).toBe(true);
    expected[Symbol.dispose]();
  }
  expect(content(directory)).toEqual(before);
});

test("step 0 is the initial model, whose embedding is the first snapshot", within, async () => {
  const opened = await openRun(trainer);
  using model = await opened.modelAt(0, { python: warmPython });
  expect([model.from, model.verified]).toEqual(["start", 1]);
  const first = await opened.history().next();
  expect(first.value?.matrix.bytes).toEqual(model.tensor("wte.weight").bytes);
  expect(existsSync(model.directory)).toBe(true);
  model[Symbol.dispose]();
  expect(existsSync(model.directory)).toBe(false);
});

test("the exported state lets plain Trainer continue to the bits of the uninterrupted run, and its model says what generate prints", within, async () => {
  const out = join(folder.path, "at-7");
  const exported = await run(["export", floatRun, "--to", "hf", "--step", "7", "--optimizer", "--out", out, "--json"]);
  expect(exported.exitCode, exported.stderr).toBe(0);
  expect(exportDocumentSchema.parse(JSON.parse(exported.stdout))).toMatchObject({ step: 7, from: "replay", verified: 3 });
  const { stdout, stderr } = await run(["generate", floatRun, "--step", "7", "--prompt", "It was", "--max-tokens", "5", "--json"]);
  expect(stdout, stderr).not.toBe("");
  const generated = generateDocumentSchema.parse(JSON.parse(stdout)).texts[0];
  const program = `
import contextlib, json, sys, torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments
text, export, final, folder, fields = sys.argv[1:]
torch.set_num_threads(1)
tokens = torch.tensor(list(open(text, "rb").read()))
windows = [{"input_ids": tokens[i : i + 16], "labels": tokens[i : i + 16]} for i in range(len(tokens) - 16)]
model = AutoModelForCausalLM.from_pretrained(export, trust_remote_code=True)
said = list(b"It was")
with torch.no_grad():
    for _ in range(5):
        said.append(int(model(torch.tensor([said])).logits[0, -1].argmax()))
args = TrainingArguments(folder, use_cpu=True, report_to="none", disable_tqdm=True, save_strategy="no", **json.loads(fields))
with contextlib.redirect_stdout(sys.stderr):
    Trainer(model=model, args=args, train_dataset=windows).train(resume_from_checkpoint=export)
trained, expected = model.state_dict(), load_file(final + "/model.safetensors")
print(json.dumps([said[6:], [name for name, weight in expected.items() if not torch.equal(weight, trained[name])]]))`;
  const fields = JSON.stringify({ ...training, optim: "adamw_torch", lr_scheduler_type: "linear", seed: 42 });
  const expected = expectedFrom<[number[], string[]]>(program, text, out, join(floatRun, "final"), join(folder.path, "theirs"), fields);
  expect(expected).toEqual([generated?.tokens, []]);
  expect(generated?.text).toBe(Buffer.from(generated?.tokens ?? []).toString());
});

test("the distances of all tensors of two steps are those of numpy", within, async () => {
  const { stdout, stderr, exitCode } = await run(["compare", `${trainer}::5`, `${trainer}::11`, "--assert-equal", "final", "--json"]);
  expect(exitCode, stderr).toBe(1);
  const document = compareDocumentSchema.parse(JSON.parse(stdout));
  expect(document.steps).toEqual([5, 11]);
  const program = `
import json, sys, torch
from safetensors.torch import load_file
a, b = (load_file(path + "/model.safetensors") for path in sys.argv[1:])
print(json.dumps({name: [int((a[name].view(torch.int16) != b[name].view(torch.int16)).sum()), float((b[name].double() - a[name].double()).norm()), float((b[name].double() - a[name].double()).abs().max())] for name in a}))`;
  const expected = expectedFrom<Record<string, [number, number, number]>>(program, checkpoint(ofTrainer, 5), checkpoint(ofTrainer, 11));
  const found = document.models?.[0]?.tensors ?? [];
  expect(found.map(({ tensor }) => tensor).sort()).toEqual(Object.keys(expected).sort());
  for (const { tensor, differing, l2, max } of found) {
    const [count, norm, largest] = expected[tensor] ?? [];
    expect([differing, max], tensor).toEqual([count, largest]);
    expect(l2).toBeCloseTo(norm ?? Number.NaN, 12);
  }
});

test("a replay that differs from the record is an error, and nothing is written", within, async () => {
  const copy = join(folder.path, "other");
  cpSync(trainer, copy, { recursive: true });
  recordOtherNumber(copy, { snapshot: 7, token: 17, component: 5 });
  const out = join(folder.path, "never");
  await expect(exportRun(copy, { to: "hf", step: 8, out, python: warmPython })).rejects.toMatchObject({
    code: "RESUME_DIVERGED",
    message: expect.stringContaining("so there is no proven model of that step. The first difference: step 7, wte, token 17, component 5"),
  });
  expect(existsSync(out)).toBe(false);
});

test.each([
  [["export", "--to", "hf", "--step", "13", "--out", "x"], "has recorded the steps 0 to 12, not 13"],
  [["export", "--to", "hf", "--step", "0", "--optimizer", "--out", "x"], "its optimizer has no state yet"],
  [["generate", "--prompt", "Naïve"], "has the byte 195, but the model has only the tokens 0 to 127"],
  [["generate", "--prompt", "It was", "--max-tokens", "11"], "At most 10 new tokens fit"],
])("%j is refused before anything starts", async ([command = "", ...options], message) => {
  const { exitCode, stderr } = await run([command, trainer, ...options], { env: { BH_BRIDGE_PYTHON: warmPython } });
  expect([exitCode, stderr.replaceAll("\n", " ")]).toEqual([2, expect.stringContaining(message)]);
});

test("sampling follows its seed", within, async () => {
  const options = { prompts: ["It was", "It was"], temperature: 1.5, topK: 5, seed: 3, maxTokens: 8, python: warmPython };
  const [first, again] = [await generateText(trainer, options), await generateText(trainer, options)];
  expect(again).toEqual(first);
  expect(first.texts[0]?.tokens).not.toEqual(first.texts[1]?.tokens);
  expect(first.step).toBe(12);
});
