import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Bridge } from "../../src/bridge/bridge.js";
import { type StepEndEvent, TrainerCallback } from "../../src/bridge/trainer-callback.js";
import type { TrainerOptions } from "../../src/bridge/trainer-options.js";
import type { BhBridgeError } from "../../src/errors.js";
import { exportRun } from "../../src/runner/export-run.js";
import { openRun } from "../../src/runner/open-run.js";
import { concludeRun } from "../../src/runner/summarize-run.js";
import { train } from "../../src/runner/train.js";
import type { TrainResult } from "../../src/runner/train-result.js";
import { verifyRun } from "../../src/runs/verify-run.js";
import { printedBy } from "../unit/formats/reference-python.js";
import { corpusFile } from "./corpus-file.js";
import { warmPython as python } from "./real-python.js";
import { isAlive } from "./run-program.js";

const out = mkdtempSync(join(tmpdir(), "bh-bridge-training-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const corpus = corpusFile(out);

const small = { vocab_size: 128, n_embd: 16, n_layer: 1, n_head: 2, n_positions: 16 };

let bridge: Bridge;
beforeAll(async () => {
  bridge = await Bridge.start({ python, threads: 1, device: "cpu" });
});
afterAll(() => bridge.close());
afterEach(() => vi.unstubAllEnvs());

async function trainerOf(on: Bridge, options: Omit<TrainerOptions, "model" | "data" | "out"> & { held_out?: number } = {}) {
  const { held_out = 0, ...rest } = options;
  const model = await on.createModel({ config: small, seed: 1 });
  return on.createTrainer({ model, data: { corpus, held_out }, out, ...rest });
}

/** A bridge to a Python that imports from a folder of its own. */
async function startWith(pythonPath: string): Promise<Bridge> {
  vi.stubEnv("PYTHONPATH", resolve(pythonPath));
  return Bridge.start({ python, threads: 1, device: "cpu" });
}

test("what was done to a model since it was built is noted in the runs that train it, and its own training first", async () => {
  const model = await bridge.createModel({ config: small, seed: 1 });
  const train = async () => (await bridge.createTrainer({ model, data: { corpus }, out, training: { max_steps: 1 } })).train();
  const untouched = await train();
  await model.setTensor("transformer.wte.weight", await model.tensor("transformer.wte.weight"));
  const touched = await train();
  expect((await openRun(untouched.run)).manifest.model_changes).toEqual([]);
  expect((await openRun(touched.run)).manifest.model_changes).toEqual([`trained in ${untouched.run}`, "transformer.wte.weight was set"]);
});

test("a trainer, a result and the analysis at the end are cancelled by their signal, and nothing is lost", async () => {
  const signal = AbortSignal.abort();
  const aborted = expect.objectContaining({ code: "ABORTED" });
  const model = await bridge.createModel({ config: small, seed: 1 });
  await expect(bridge.createTrainer({ model, data: { corpus }, out, signal })).rejects.toEqual(aborted);
  const { run: directory } = await (await trainerOf(bridge, { training: { max_steps: 3 } })).train();
  const run = await openRun(directory);
  await expect(run.result({ signal })).rejects.toEqual(aborted);
  await expect(concludeRun(directory, run.config, { signal })).rejects.toEqual(aborted);
  expect(existsSync(join(directory, "analysis.json"))).toBe(false);
  expect(await concludeRun(directory, run.config)).toEqual(await run.result());
  expect(existsSync(join(directory, "analysis.json"))).toBe(true);
});

test("a training whose loss becomes NaN goes on to its end, reports NaN, and null where JSON is written", async () => {
  const losses: number[] = [];
  const logged: unknown[] = [];
  class Watch extends TrainerCallback {
    override onStepEnd = ({ loss }: StepEndEvent) => void losses.push(loss);
    override onLog = ({ logs }: { logs: Record<string, number> }) => void logged.push(logs["loss"]);
  }
  const trainer = await trainerOf(bridge, { training: { max_steps: 4, learning_rate: 1e38, max_grad_norm: 0, logging_steps: 1 }, callbacks: [new Watch()] });
  const outcome = await trainer.train();
  expect(outcome).toMatchObject({ status: "completed", steps: { planned: 4, done: 4 } });
  expect(losses[0]).toBeCloseTo(Math.log(128), 0);
  expect(losses.at(-1)).toBeNaN();
  expect(logged).toHaveLength(4);
  expect(logged.slice(1)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect((await trainer.state()).log_history[3]?.["loss"]).toBeNaN();
  const run = await openRun(outcome.run);
  expect((await run.result()).loss.slice(1)).toEqual([2, 3, 4].map((step) => [step, null]));
  const alerts: unknown[] = [];
  for await (const event of run.events()) if (event.type === "alert") alerts.push([event.kind, event.global_step]);
  expect(losses.findIndex(Number.isNaN)).toBe(1); // of step 2, computed from the weights after step 1: they are told first
  expect(alerts).toEqual([["non-finite", 1]]);
});

test("moments wider than the weights are recorded as they are, and every reader of a run takes them so", async () => {
  const tensors: ("wte" | "wte.grad" | "wte.exp_avg")[] = ["wte", "wte.grad", "wte.exp_avg"];
  const trainer = await trainerOf(bridge, { training: { max_steps: 3, optimizer_state_dtype: "float32" }, record: { tensors } });
  const { run: directory } = await trainer.train();
  const run = await openRun(directory);
  const dtypes: Record<string, string> = {};
  for (const tensor of tensors) for await (const { matrix } of run.history(tensor)) dtypes[tensor] = matrix.dtype;
  expect(dtypes).toEqual({ wte: "BF16", "wte.grad": "BF16", "wte.exp_avg": "F32" });
  expect((await verifyRun(directory)).problems).toEqual([]);
  await exportRun(directory, { to: "npy", out: join(out, "moments.npy"), tensor: "wte.exp_avg" });
  const script = `
import sys, numpy
from safetensors.numpy import load_file
exported, recorded = numpy.load(sys.argv[1]), load_file(sys.argv[2])["wte.exp_avg"]
print(exported.dtype, (exported == recorded).all(), (recorded.view("u4") & 0xFFFF).any())`;
  const printed = await printedBy(script, [join(out, "moments.npy"), join(directory, "history.wte.exp_avg.safetensors")]);
  expect(printed.trim()).toBe("float32 True True"); // the last: their low halves, which bfloat16 has not, are not all zero
});

test("a run that a process trains now is summarised as running, with its rate, and one whose process is gone as interrupted", async () => {
  const controller = new AbortController();
  const trainer = await trainerOf(bridge, { training: { max_steps: 100_000 } });
  let live: Promise<TrainResult> | undefined;
  let directory = "";
  trainer.onEvent(({ global_step }) => {
    if (global_step < 3 || live) return;
    live = openRun(directory).then((run) => run.result());
    void live.catch(() => undefined).finally(() => controller.abort());
  });
  directory = (await trainer.prepare()).directory;
  await trainer.train({ signal: controller.signal });
  expect(await live).toMatchObject({ status: "running" });
  expect((await live)?.stepsPerSecond).toBeGreaterThan(0);
  const manifest = JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  expect(manifest.status).toBe("stopped");
  writeFileSync(join(directory, "run.json"), JSON.stringify({ ...manifest, status: "running" })); // as a killed process leaves it
  rmSync(join(directory, "SHA256SUMS")); // which a run gets when it has ended
  expect((await (await openRun(directory)).result()).status).toBe("interrupted");
});

test("the threads of the bridge are in the configuration of its runs, which can so be run again", async () => {
  const trainer = await trainerOf(bridge, { training: { max_steps: 1 } });
  const { run } = await trainer.train();
  expect(JSON.parse(readFileSync(join(run, "config.json"), "utf8"))).toMatchObject({ threads: 1, device: "cpu" });
});

test("startFrom that is not model.from is refused with both names, before Python is looked for", async () => {
  const refused = async (from: string | null) =>
    (await train({ model: { from }, python: "/nowhere/python" }, { startFrom: "checkpoints/a" }).catch((reason: unknown) => reason)) as BhBridgeError;
  expect(await refused(null)).toMatchObject({ code: "USAGE", message: expect.stringContaining("checkpoints/a, and model.from is not set") });
  const saved = join(out, "saved");
  await (await bridge.createModel({ config: small, seed: 1 })).save(saved);
  expect(await refused(saved)).toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(/startFrom is .*checkpoints\/a, and model\.from is .*saved: both/),
  });
});

test("loss and perplexity on the held-out part, reported to callbacks during training and on request", async () => {
  const evaluations: number[] = [];
  class Watch extends TrainerCallback {
    override onEvaluate = ({ metrics }: { metrics: Record<string, number> }) => void evaluations.push(metrics["eval_loss"] ?? Number.NaN);
  }
  const trainer = await trainerOf(bridge, { held_out: 0.1, training: { max_steps: 4, eval_strategy: "steps", eval_steps: 2 }, callbacks: [new Watch()] });
  await trainer.train();
  expect(evaluations).toHaveLength(2);
  const { loss, perplexity } = await trainer.evaluate();
  expect(loss).toBe(evaluations[1]);
  expect(perplexity).toBeCloseTo(Math.exp(loss), 6);
  expect(evaluations).toHaveLength(3);
});

test("evaluating alone leaves no run, and a throw in it keeps the training from beginning", async () => {
  const there = readdirSync(out).length;
  const looked = await trainerOf(bridge, { held_out: 0.1, training: { max_steps: 4 } });
  await looked.evaluate();
  expect((await looked.state()).global_step).toBe(0);
  await looked.close();
  class Throws extends TrainerCallback {
    steps = 0;
    override onStepEnd = () => void this.steps++;
    override onEvaluate = () => {
      throw new Error("too high");
    };
  }
  const watch = new Throws();
  const trainer = await trainerOf(bridge, { held_out: 0.1, training: { max_steps: 4 }, callbacks: [watch] });
  const failed = { code: "USER_CALLBACK_FAILED", message: "Throws.onEvaluate threw: too high" };
  await expect(trainer.evaluate()).rejects.toMatchObject(failed);
  await expect(trainer.train()).rejects.toMatchObject(failed);
  await trainer.close();
  expect(watch.steps).toBe(0);
  expect(readdirSync(out)).toHaveLength(there);
});

test("a decider asks for an evaluation, a checkpoint and a log, and gets them", async () => {
  const seen: string[] = [];
  class Steers extends TrainerCallback {
    override onEvaluate = ({ global_step }: { global_step: number }) => void seen.push(`evaluate ${global_step}`);
    override onSave = ({ global_step }: { global_step: number }) => void seen.push(`save ${global_step}`);
    override onLog = ({ global_step }: { global_step: number }) => void seen.push(`log ${global_step}`);
    override decide = { every: 3, ask: () => ({ should_evaluate: true, should_save: true, should_log: true }) };
  }
  const trainer = await trainerOf(bridge, { held_out: 0.1, training: { max_steps: 5, logging_steps: 100 }, callbacks: [new Steers()] });
  await trainer.train();
  expect(seen).toEqual(["log 3", "evaluate 3", "save 3", "save 5"]);
});

test("a decider that asks for an evaluation where nothing is held out is told what to set", async () => {
  class Evaluates extends TrainerCallback {
    override decide = { every: 1, ask: () => ({ should_evaluate: true }) };
  }
  await using trainer = await trainerOf(bridge, { training: { max_steps: 2 }, callbacks: [new Evaluates()] });
  await expect(trainer.train()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("set data.held_out, for example to 0.1") });
});

test("a decider asked at each log sees TrainerState and ends the training with a checkpoint", async () => {
  const states: unknown[] = [];
  class Stops extends TrainerCallback {
    override decide = {
      on: ["log"] as const,
      ask: (state: { global_step: number; log_history: unknown[] }) => {
        states.push(state);
        return { should_training_stop: state.global_step >= 4 };
      },
    };
  }
  const trainer = await trainerOf(bridge, { training: { max_steps: 100, logging_steps: 2 }, callbacks: [new Stops()] });
  const outcome = await trainer.train();
  expect(outcome).toMatchObject({ status: "stopped", reason: "decider", steps: { planned: 100, done: 4 } });
  expect(states).toHaveLength(2);
  expect(states[1]).toMatchObject({ global_step: 4, max_steps: 100, best_metric: null, log_history: [{ loss: expect.any(Number), step: 4 }] });
  expect(readdirSync(join(outcome.run, "checkpoints"))).toEqual(["step-000004"]);
});

test("workers that are spawned, not forked, load the same data", async () => {
  const training = { max_steps: 3, logging_steps: 1 };
  const expected = await (await trainerOf(bridge, { training })).train();
  await using spawning = await startWith("tests/bridge/spawning");
  const outcome = await (await trainerOf(spawning, { training: { ...training, dataloader_num_workers: 1 } })).train();
  expect(outcome.logHistory.map(({ loss }) => loss)).toEqual(expected.logHistory.map(({ loss }) => loss));
});

describe("a Python that talks", () => {
  let noisy: Bridge;
  beforeAll(async () => {
    noisy = await startWith("tests/bridge/noisy");
  });
  afterAll(() => noisy.close());

  test("NumPy's scalars in a log arrive as numbers, and whatever Python says stays in the run's log", async () => {
    const logs: unknown[] = [];
    class Watch extends TrainerCallback {
      override onLog = (event: { logs: Record<string, unknown> }) => void logs.push(event.logs);
    }
    const { run, status } = await (await trainerOf(noisy, { training: { max_steps: 2, logging_steps: 1 }, callbacks: [new Watch()] })).train();
    expect(status).toBe("completed");
    expect(logs[0]).toMatchObject({ scalar: 0.5, count: 7, infinite: Number.POSITIVE_INFINITY });
    expect(logs[0]).not.toHaveProperty("array");
    const said = readFileSync(join(run, "python.log"), "utf8");
    for (const words of ["a print at a log", "bytes at a log", "a warning", "3/3"]) expect(said).toContain(words);
  });

  test("SIGKILL in the middle of a training rejects train() within a second, and the workers end too", async () => {
    const trainer = await trainerOf(noisy, { training: { max_steps: 100_000, dataloader_num_workers: 1 } });
    const children = () => readFileSync(`/proc/${noisy.environment.pid}/task/${noisy.environment.pid}/children`, "utf8").trim().split(" ").map(Number);
    let workers: number[] = [];
    let killed = 0;
    trainer.onEvent(({ type, global_step }) => {
      if (type !== "step_end" || global_step !== 3) return;
      workers = children();
      killed = performance.now();
      process.kill(noisy.environment.pid, "SIGKILL");
    });
    const error = (await trainer.train().catch((reason: unknown) => reason)) as BhBridgeError;
    expect(performance.now() - killed).toBeLessThan(1000);
    expect(error).toMatchObject({ code: "PEER_EXITED", exit: { signal: "SIGKILL" } });
    expect(workers).toHaveLength(1);
    await vi.waitFor(() => expect(workers.filter(isAlive)).toEqual([]));
  });
});

test("an abort ends the training after its step, with a checkpoint", async () => {
  const controller = new AbortController();
  const trainer = await trainerOf(bridge, { training: { max_steps: 100_000 } });
  trainer.onEvent(({ global_step }) => global_step === 5 && controller.abort());
  const outcome = await trainer.train({ signal: controller.signal });
  expect(outcome).toMatchObject({ status: "stopped", reason: "signal" });
  expect(existsSync(join(outcome.run, "checkpoints", `step-${String(outcome.steps.done).padStart(6, "0")}`, "MANIFEST.json"))).toBe(true);
});

test.each([
  ["an object that is pythonia's own reference", { model: { n_embd: { ffid: 0 } } }, "model.n_embd"],
  ["an object with a prototype of its own", JSON.parse('{"model": {"__proto__": {"n_embd": 1}}}'), "model.__proto__"],
  ["an integer beyond 2^53", { seed: 2 ** 53 + 2 }, "seed"],
  ["an integer of 64 bits", { training: { data_seed: 2n ** 63n - 1n } }, "training.data_seed"],
] as const)("%s in a configuration is CONFIG_INVALID with its path", async (_, input, path) => {
  const { train } = await import("../../src/runner/train.js");
  const error = (await train(input as object).catch((reason: unknown) => reason)) as BhBridgeError;
  expect(error).toMatchObject({ code: "CONFIG_INVALID" });
  expect(new Set(error.issues?.map((issue) => issue.path))).toEqual(new Set([path]));
});

test("a checkpoint that is asked for is made at the step under way, and the training goes on", async () => {
  class Asking extends TrainerCallback {
    override decide = {
      every: 2,
      ask: () => {
        trainer.requestCheckpoint();
        return {};
      },
    };
  }
  const trainer = await trainerOf(bridge, { training: { max_steps: 5 }, checkpoint: { every: null, keep: 9 }, callbacks: [new Asking()] });
  trainer.requestCheckpoint(); // none is under way
  const { run, status } = await trainer.train();
  trainer.requestCheckpoint(); // nor now
  expect(status).toBe("completed");
  expect(readdirSync(join(run, "checkpoints")).sort()).toEqual(["step-000002", "step-000004", "step-000005"]);
});
