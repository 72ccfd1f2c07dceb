import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseRunConfig } from "../../src/config/parse-run-config.js";
import { builtInPath } from "../../src/config/paths-in-config.js";
import { resolvePython } from "../../src/python/require-packages.js";
import { trainResultSchema } from "../../src/runner/train-result.js";
import { readRunManifest } from "../../src/runs/run-manifest.js";
import { trainTrials, WarmPython } from "../../src/sweep/pool/train-trial.js";
import { run, temporaryFolder, warmPython } from "./program.js";
import { tensorBytes } from "./tensor-bytes.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const small = {
  device: "cpu",
  threads: 1,
  data: { corpus: builtInPath() },
  model: { n_embd: 8, n_layer: 1, n_head: 2, n_positions: 16 },
  training: { max_steps: 6, per_device_train_batch_size: 4, lr_scheduler_type: "constant" },
} as const;

function file(name: string, content: object): string {
  const path = join(folder.path, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const noGpu = { env: { CUDA_VISIBLE_DEVICES: "" } };
const refusal = "fast supports only GPUs, and this training would run on the CPU. Train a new run with --engine portable";

test.each(["cpu", "auto"])("engine fast is refused on a CPU before a run exists, with device %s", async (device) => {
  const out = join(folder.path, "refused");
  const words = ["train", "-c", file("fast.json", { ...small, device, engine: "fast" }), "--out", out, "--json"];
  const { stdout, exitCode } = await run(words, noGpu);
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ code: "CONFIG_INVALID", issues: [{ path: "engine", message: expect.stringContaining(refusal) }] });
  expect(existsSync(out)).toBe(false);
});

test.each([[], ["--dry-run"]])("so is a sweep of batched runs %j", async (...options) => {
  const out = join(folder.path, "no-sweeps");
  const sweep = file("sweep.json", { base: { ...small, engine: { name: "fast", batched_runs: 2 } }, seeds: "1..2" });
  const { stderr, exitCode } = await run(["sweep", sweep, "--out", out, ...options], noGpu);
  expect(exitCode, stderr).toBe(2);
  expect(stderr).toContain(refusal);
  expect(existsSync(out)).toBe(false);
});

test("what it does not implement is refused by name", async () => {
  const words = ["train", "-c", file("fast.json", { ...small, engine: "fast" }), "--set", "training.optim=adafactor", "--set", "model.resid_pdrop=0.1"];
  const { stdout, exitCode } = await run([...words, "--json"]);
  expect(exitCode).toBe(2);
  for (const path of ["training.optim", "model.resid_pdrop"]) expect(stdout).toContain(path);
});

/** Runs as a GPU would train them, and as version 0.2 did on a CPU: the pool trains where the plan says. */
async function runsOfFast(): Promise<string[]> {
  const warm = new WarmPython({ python: await resolvePython({ python: warmPython }), cores: null, gpu: null });
  const corpus = createHash("sha256").update(readFileSync(builtInPath())).digest("hex");
  const trainings = [2, 2, 1].map((batched_runs, seed) => {
    const config = parseRunConfig({ ...small, seed: seed % 2, engine: { name: "fast", batched_runs } });
    const task = { trial: String(seed), config, preset: "quick" as const, corpus, out: join(folder.path, "runs"), run: null, prune: null };
    return { task, listener: { onStart: () => undefined, onStep: () => undefined } };
  });
  try {
    const { signal } = new AbortController();
    const ends = [...(await trainTrials(trainings.slice(0, 2), warm, signal)), ...(await trainTrials(trainings.slice(2), warm, signal))];
    return ends.map((end) => (end.kind === "completed" ? end.run : JSON.stringify(end)));
  } finally {
    await warm.close();
  }
}

test("a batched run has the bits of its run alone; runs of fast on a CPU can be read, and not continued", async () => {
  const [first = "", second = "", alone = ""] = await runsOfFast();
  expect(readRunManifest(first)).toMatchObject({ status: "completed", engine: "fast", batched_runs: 2 });
  const history = (directory: string) => tensorBytes(join(directory, "history.safetensors"), "embedding_history");
  expect(history(first).equals(history(alone))).toBe(true);
  const out = join(folder.path, "runs");
  const report = join(folder.path, "report.html");
  for (const words of [
    ["runs", "--out", out],
    ["runs", "verify", first],
    ["analyze", second],
    ["report", alone, "-o", report],
  ]) {
    const { exitCode, stderr } = await run(words);
    expect(exitCode, `${words.join(" ")}: ${stderr}`).toBe(0);
  }
  expect((await run(["compare", first, second])).stderr).not.toContain(refusal);
  expect(readFileSync(report, "utf8")).toContain("engine fast");
  const again = await run(["train", "-c", join(alone, "config.json"), "--out", out, "--if-new", "--json"]);
  expect(trainResultSchema.parse(JSON.parse(again.stdout))).toMatchObject({ run: alone, engine: "fast" });
  for (const words of [
    ["reproduce", alone],
    ["resume", alone, "--steps", "8"],
  ]) {
    const { exitCode, stderr } = await run(words);
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain("To resume or reproduce a run that fast computed on a CPU, use version 0.2");
  }
});
