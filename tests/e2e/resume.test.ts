import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Bridge } from "../../src/bridge/bridge.js";
import { corpusOf } from "../../src/bridge/corpus.js";
import { runDocumentSchema, runsDocumentSchema, verifyDocumentSchema } from "../../src/commands/runs/format-runs.js";
import { openRun } from "../../src/runner/open-run.js";
import { openResumable, resumedTraining } from "../../src/runner/resume.js";
import { train, trainIn } from "../../src/runner/train.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { openModelDeltas } from "../../src/runs/model-deltas.js";
import { openCheckpoint } from "../../src/runs/open-run-directory.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { eventually, projectRoot, run, start, temporaryFolder, warmPython } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";
import { oneThread, trainOn } from "./train-together.js";

const folder = temporaryFolder();
const out = join(folder.path, "runs with spaces, ünïcode");
const small = {
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 40, per_device_train_batch_size: 4, lr_scheduler_type: "constant", logging_steps: 10 },
  checkpoint: { every: 20 },
  record: { model: "deltas" },
} as const;
const file = join(folder.path, "small.json");
let bridge: Bridge;
let whole = "";

/** A copy of a run; one whose `run.json` says something else has no checksums, as a run that has not come to its end. */
function copyOf(directory: string, name: string, changes?: object): string {
  const copy = join(folder.path, name, "run");
  cpSync(directory, copy, { recursive: true });
  if (!changes) return copy;
  rmSync(join(copy, "SHA256SUMS"), { force: true });
  const manifest = JSON.parse(readFileSync(join(copy, "run.json"), "utf8"));
  writeFileSync(join(copy, "run.json"), JSON.stringify({ ...manifest, ...changes }));
  return copy;
}

/** Go on with a run in the Python that is there. */
async function goOn(directory: string): Promise<void> {
  const training = resumedTraining(await openResumable(directory));
  await trainIn(bridge, { ...training, corpus: await corpusOf(training.resolved) }, {}, {});
}

beforeAll(async () => {
  writeFileSync(file, JSON.stringify(small));
  bridge = await oneThread();
  whole = await trainOn(bridge, out, small);
}, 120_000);
afterAll(async () => {
  await bridge.close();
  folder[Symbol.dispose]();
});

test("the weights of every step are recorded, with the bits of checkpoints and final model", async () => {
  using deltas = openModelDeltas(whole);
  expect(deltas).toMatchObject({ firstStep: 0, lastStep: 40 });
  for (const [step, folder] of [
    [20, "checkpoints/step-000020"],
    [40, "final"],
  ] as const) {
    await using saved = await openCheckpoint(join(whole, folder));
    expect(deltas?.tensors.map(({ name }) => name).sort()).toEqual(saved.tensors.map(({ name }) => name).sort());
    for (const { name, dtype, shape, bytes } of deltas?.at(step) ?? []) {
      const matrix = await saved.matrix(name);
      expect([dtype, shape, Buffer.from(bytes).equals(matrix.bytes)]).toEqual([matrix.dtype, [...matrix.shape], true]);
    }
  }
  expect(deltas?.tied.get("lm_head.weight")).toBe("transformer.wte.weight");
});

test("a run that is complete has nothing left to compute, and tells its result again", async () => {
  const { exitCode, stdout } = await run(["resume", whole, "--json"]);
  expect(exitCode).toBe(0);
  expect(trainResultSchema.parse(JSON.parse(stdout)).steps).toEqual({ planned: 40, done: 40 });
});

test.skipIf(spawnSync("ssh-keygen", ["-?"]).error)(
  "a signature holds while nothing is computed, and is gone once the run has more steps",
  async () => {
    const copy = copyOf(whole, "signed");
    const key = join(folder.path, "key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const signers = join(folder.path, "signers");
    writeFileSync(signers, `me@example.org ${readFileSync(`${key}.pub`, "utf8")}`);
    const verified = async () => verifyDocumentSchema.parse(JSON.parse((await run(["runs", "verify", copy, "--signers", signers, "--json"])).stdout));
    const signed = { ok: true, signature: { principal: "me@example.org" } };
    expect((await run(["resume", copy])).exitCode).toBe(0); // analyses it, which changes the checksums
    expect((await run(["runs", "sign", copy, "--key", key])).exitCode).toBe(0);
    expect((await run(["resume", copy])).exitCode).toBe(0);
    expect(await verified()).toMatchObject(signed);
    const { exitCode, stderr } = await run(["resume", copy, "--steps", "44"]);
    expect(exitCode, stderr).toBe(0);
    expect(existsSync(join(copy, "SHA256SUMS.sig"))).toBe(false);
    expect(await verified()).toMatchObject({ ok: false, problems: [expect.stringContaining("is not signed")], signature: null });
    expect((await run(["runs", "sign", copy, "--key", key])).exitCode).toBe(0);
    expect(await verified()).toMatchObject(signed);
  },
  240_000,
);

test("a run killed before its end was noted is found without a name, and completed from its last checkpoint", async () => {
  const copy = copyOf(whole, "unnoted", { status: "running", ended: null });
  const { stdout, stderr, exitCode } = await run(["resume", "--out", join(folder.path, "unnoted"), "--json"]);
  expect(stderr).toContain("Resumes  from the checkpoint of step 40");
  expect(stderr).toMatch(/training\.max_steps +10000 → 40 +\(the run\)/);
  expect([exitCode, JSON.parse(stdout).status]).toEqual([0, "completed"]);
  for (const file of ["history.safetensors", "final/model.safetensors"]) expect(readFileSync(join(copy, file))).toEqual(readFileSync(join(whole, file)));
});

const quietly = (name: string) => ["train", "-c", file, "--device", "cpu", "--threads", "1", "--out", join(folder.path, name)];

test("the same command again names the unfinished run to a script, and starts a new one", async () => {
  copyOf(whole, "again", { status: "running", ended: null });
  cpSync(copyOf(whole, "otherwise", { status: "running", ended: null, config_hash: "0".repeat(64) }), join(folder.path, "again", "other"), { recursive: true });
  const { stderr } = await run(quietly("again"));
  expect(stderr).toMatch(
    /Unfinished run of the same configuration: .*again\/run.* \(interrupted\)\nStarting a new run. To resume that one: {2}node \S+cli\.js resume .*again\/run/,
  );
  expect(stderr).not.toContain("again/other");
  expect(readdirSync(join(folder.path, "again"))).toHaveLength(3);
});

test.each([
  ["y", 1],
  ["n", 2],
])("somebody at a terminal is asked whether to resume it: %s gives %i runs", async (answer, runs) => {
  const name = `asked-${answer}`;
  copyOf(whole, name, { status: "running", ended: null });
  const question = [join(import.meta.dirname, "answer_prompt.py"), "Resume it?", answer];
  const command = [process.execPath, join(projectRoot, "dist/cli.js"), ...quietly(name)];
  const { exitCode, stdout } = await execa("python3", [...question, ...command], {
    env: { BH_BRIDGE_PYTHON: warmPython, CI: "" },
    stdin: "ignore",
    reject: false,
  });
  expect(exitCode, stdout).toBe(0);
  expect(readdirSync(join(folder.path, name))).toHaveLength(runs);
});

test("pinned runs come first, and tables show differences to the run tagged baseline", async () => {
  const short = await trainOn(bridge, out, { ...small, training: { ...small.training, max_steps: 20 } });
  const list = (...args: string[]) => run(["runs", "--out", out, "--columns", "run,steps,C,tags", ...args]);
  const order = (stdout: string) => runsDocumentSchema.parse(JSON.parse(stdout)).runs.map((row) => row.run);
  expect(order((await list("--json")).stdout)).toEqual([whole, short]);
  await run(["runs", "tag", whole, "baseline"]);
  await run(["runs", "tag", short, "pin"]);
  const { stdout } = await list("--json");
  expect(order(stdout)).toEqual([short, whole]);
  expect(JSON.parse(stdout).baseline).toBe(whole);
  const table = await list();
  expect(table.stdout).toMatch(/ 20 \(−20\) /);
  expect(table.stdout).toMatch(/ 40 {2}/);
  expect(table.stderr).toContain(`Differences in parentheses are relative to the baseline ${basename(whole)}`);
  expect((await list("--baseline", short, "--format", "md")).stdout).toMatch(/\| 40 \(\+20\) \|/);
  expect((await list("--format", "csv")).stdout).toMatch(/,20,/);
});

test("a run that goes on from a checkpoint of HF's Trainer is labelled with the steps that it took there", async () => {
  const script = `
import sys, torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
tokens = torch.tensor([ord(c) % 128 for c in open(sys.argv[1]).read()][:2000])
data = [{"input_ids": tokens[i:i + 16], "labels": tokens[i:i + 16]} for i in range(500)]
model = GPT2LMHeadModel(GPT2Config(vocab_size=128, n_positions=16, n_embd=8, n_layer=1, n_head=2))
arguments = dict(max_steps=30, save_steps=30, per_device_train_batch_size=4, lr_scheduler_type="constant", use_cpu=True, report_to="none", disable_tqdm=True)
Trainer(model=model, args=TrainingArguments(sys.argv[2], **arguments), train_dataset=data).train()`;
  const theirs = join(folder.path, "theirs");
  await printedBy(script, [JSON.parse(readFileSync(join(whole, "run.json"), "utf8")).corpus.path, theirs]);
  const args = [
    "train",
    "--from",
    join(theirs, "checkpoint-30"),
    "--resume-state",
    "--steps",
    "35",
    "--device",
    "cpu",
    "--out",
    join(folder.path, "from-theirs"),
  ];
  const ended = await run([...args, "--set", "training.lr_scheduler_type=constant", "--set", "training.per_device_train_batch_size=4", "--json"]);
  expect(ended.exitCode, ended.stderr).toBe(0);
  const result = trainResultSchema.parse(JSON.parse(ended.stdout));
  expect(result.stepsPerSecond * result.seconds).toBeCloseTo(5, 6); // those that it took itself
  const steps: number[] = [];
  for await (const { step } of (await openRun(result.run)).history()) steps.push(step);
  expect(steps).toEqual([30, 31, 32, 33, 34, 35]);
  expect(result.centroidNorm.map(([step]) => step)).toEqual([35]);
  expect(JSON.parse(readFileSync(join(result.run, "analysis.json"), "utf8")).steps).toEqual(steps);
});

test("--resume-state takes the settings of a Trainer script, and ends with the bits of its own resume_from_checkpoint", async () => {
  const [text, theirs] = [join(folder.path, "times.txt"), join(folder.path, "scripted")];
  writeFileSync(text, "It was the best of times, it was the worst of times, it was the age of wisdom, ".slice(0, 90).padEnd(90, "x"));
  // 74 windows are 5 batches an epoch, which accumulate to two steps; step 5 is in the third epoch.
  const settings = { learning_rate: 3e-3, lr_scheduler_type: "cosine", warmup_steps: 2, weight_decay: 0.1, optim: "adamw_torch", seed: 7, data_seed: 11 };
  const sizes = { max_steps: 8, save_steps: 5, per_device_train_batch_size: 16, gradient_accumulation_steps: 4 };
  const script = readFileSync(join(projectRoot, "tests/e2e/plain_trainer.py"), "utf8");
  await printedBy(script, [text, theirs, JSON.stringify({ ...settings, ...sizes })]);
  const args = ["--resume-state", "--corpus", text, "--threads", "1", "--out", join(folder.path, "from-script")];
  const gpt2 = await run(["train", "--from", join(theirs, "gpt2/checkpoint-5"), ...args, "--json"]);
  expect(gpt2.exitCode, gpt2.stderr).toBe(0);
  expect(gpt2.stderr).toMatch(/training\.learning_rate +0\.001 → 0\.003 +\(training_args\.bin of .*checkpoint-5\)/);
  expect(gpt2.stderr).toContain("does not contain the script's text");
  const ended = trainResultSchema.parse(JSON.parse(gpt2.stdout)).run;
  const input = { model: { from: join(theirs, "llama/checkpoint-5") }, data: { corpus: text }, threads: 1 };
  const llama = await train({ ...input, python: warmPython }, { startFrom: input.model.from, out: join(folder.path, "from-script") });
  for (const [family, directory] of Object.entries({ gpt2: ended, llama: llama.directory })) {
    const [own, expected] = [join(directory, "final/model.safetensors"), join(theirs, family, "resumed/model.safetensors")];
    await using model = await openCheckpoint(expected);
    for (const { name } of model.tensors) expect(tensorBytes(own, name), `${family}: ${name}`).toEqual(tensorBytes(expected, name));
    const { save_steps, ...ofTraining } = sizes;
    const { seed, data_seed, ...others } = settings;
    const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    expect(config).toMatchObject({ seed, seeds: { data: data_seed }, device: "cpu", training: { ...others, ...ofTraining, bf16: false } });
    expect((await openRun(directory)).manifest.start_from).toContain(`checkpoint-${save_steps}`);
  }
});

test("a run whose first weights are gone goes on from its checkpoint; without one, what is gone is named", async () => {
  const source = join(folder.path, "source");
  cpSync(join(whole, "final"), source, { recursive: true });
  const first = await trainOn(bridge, join(folder.path, "sourced"), { ...small, model: { from: source } });
  rmSync(source, { recursive: true });
  const copy = copyOf(first, "sourceless", { status: "running", ended: null });
  rmSync(join(copy, "checkpoints/step-000040"), { recursive: true });
  await goOn(copy);
  for (const file of ["history.safetensors", "final/model.safetensors"]) expect(readFileSync(join(copy, file))).toEqual(readFileSync(join(first, file)));
  const bare = copyOf(first, "bare", { status: "running", ended: null });
  rmSync(join(bare, "checkpoints"), { recursive: true });
  await expect(goOn(bare)).rejects.toMatchObject({ code: "FILE_NOT_FOUND", message: expect.stringContaining(`started from ${source}, which is missing`) });
});

test("another environment is refused by name, and accepted with --allow-inexact", async () => {
  const { environment } = JSON.parse(readFileSync(join(whole, "run.json"), "utf8"));
  const copy = copyOf(whole, "elsewhere", { status: "running", environment: { ...environment, torch: "2.0.0" } });
  const message = expect.stringContaining(`PyTorch 2.0.0 → ${environment.torch}`);
  await expect(goOn(copy)).rejects.toMatchObject({ code: "RESUME_MISMATCH", message });
  expect((await run(["resume", copy, "--allow-inexact", "--json"])).exitCode).toBe(0);
  const shown = await run(["runs", "show", copy, "--json"]);
  expect(runDocumentSchema.parse(JSON.parse(shown.stdout)).manifest?.resumes).toMatchObject([{ from_step: 40, exact: false }]);
});

test("a changed corpus is named and refused", async () => {
  const { corpus } = JSON.parse(readFileSync(join(whole, "run.json"), "utf8"));
  const copy = copyOf(whole, "other-text", { status: "running", corpus: { ...corpus, sha256: "0".repeat(64) } });
  const message = expect.stringContaining(`the corpus has changed: ${copy} was trained on ${corpus.path}`);
  await expect(goOn(copy)).rejects.toMatchObject({ code: "RESUME_MISMATCH", message });
});

test("a run is refused to a second process while it is written, and is neither removed nor lost", async () => {
  const directory = join(folder.path, "live");
  const program = start([...quietly("live"), "--steps", "100000", "--json"]);
  const log = () => join(directory, readdirSync(directory)[0] ?? "", "events.jsonl");
  const hasStepped = () => existsSync(directory) && existsSync(log()) && readFileSync(log(), "utf8").includes('"step_end"');
  expect(await eventually(hasStepped, 60_000)).toBe(true);
  const [name = ""] = readdirSync(directory);
  const live = runsDocumentSchema.parse(JSON.parse((await run(["runs", "--out", directory, "--json"])).stdout));
  expect(live.runs[0]).toMatchObject({ status: "running", pid: expect.any(Number) });
  expect(live.runs[0]?.steps?.done).toBeGreaterThan(0);
  for (const command of [
    ["resume", join(directory, name)],
    ["runs", "rm", name, "--out", directory],
  ]) {
    const { stdout, exitCode } = await run([...command, "--json"]);
    expect([exitCode, JSON.parse(stdout).code]).toEqual([1, "RUN_LOCKED"]);
    expect(JSON.parse(stdout).message).toMatch(/by process \d+/);
  }
  const verified = await run(["runs", "verify", name, "--out", directory, "--json"]);
  expect(verifyDocumentSchema.parse(JSON.parse(verified.stdout)).ok).toBe(true);
  program.kill("SIGINT");
  await program;
  const listed = runsDocumentSchema.parse(JSON.parse((await run(["runs", "--out", directory, "--json"])).stdout));
  expect(listed.runs).toMatchObject([{ status: "stopped", reason: "signal" }]);
});

test("runs verify names a flipped bit of the history, of a checkpoint and of the final model", async () => {
  const copy = copyOf(whole, "flipped");
  for (const file of ["history.safetensors", "checkpoints/step-000040/optimizer.safetensors", "final/model.safetensors"]) {
    const bytes = readFileSync(join(copy, file));
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    writeFileSync(join(copy, file), bytes);
  }
  const { stdout, exitCode } = await run(["runs", "verify", copy, "--json"]);
  const { ok, problems } = verifyDocumentSchema.parse(JSON.parse(stdout));
  expect([exitCode, ok, problems.length]).toEqual([1, false, 3]);
  expect(problems[0]).toMatch(/history\.safetensors: state 40 \(step 40\) has CRC-32/);
});

test.each([
  ["y", 0, 0],
  ["n", 130, 1],
])("somebody at a terminal is asked before a run is removed: %s ends with %i and leaves %i", async (answer, code, left) => {
  const copy = copyOf(whole, `removed-${answer}`);
  const command = [process.execPath, join(projectRoot, "dist/cli.js"), "runs", "rm", copy];
  const asked = await execa("python3", [join(import.meta.dirname, "answer_prompt.py"), "Remove permanently?", answer, ...command], {
    env: { BH_BRIDGE_PYTHON: warmPython, CI: "" },
    stdin: "ignore",
    reject: false,
  });
  expect(asked.exitCode, asked.stdout).toBe(code);
  expect(readdirSync(join(copy, ".."))).toHaveLength(left);
});

test("a run of a newer format is refused by name", async () => {
  const copy = copyOf(whole, "newer", { format: 2, min_reader: 2 });
  const { stdout } = await run(["resume", copy, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ code: "RUN_UNSUPPORTED" });
});
