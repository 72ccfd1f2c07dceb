// Checked by the compiler, never run: a line that should not compile has the reason above it, and fails when it does compile.
import { expectTypeOf } from "vitest";
import { z } from "zod";
import type { writtenRunConfig } from "../../src/config/run-config-schema.js";
import {
  type AnalysisDocument,
  analyze,
  type BhBridgeError,
  Bridge,
  type Census,
  type Checkpoint,
  census,
  type DecisionState,
  defineRun,
  type ErrorCode,
  type EvaluateEvent,
  type GPT2Config,
  type History,
  type InitInput,
  type LogEvent,
  type Matrix,
  Model,
  openCheckpoint,
  openRun,
  type PresetName,
  partOf,
  type presets,
  type Run,
  type RunConfigInput,
  registerAnalysis,
  type runConfigSchema,
  type SaveEvent,
  type StepEndEvent,
  type TrainEvent,
  type Trainer,
  TrainerCallback,
  type TrainerControl,
  type TrainingArguments,
  type TrainOutcome,
  type TrainResult,
  train,
} from "../../src/index.js";

declare const bridge: Bridge;
declare const model: Model;
declare const trainer: Trainer;
declare const signal: AbortSignal;
declare const error: BhBridgeError;

export async function oneCall(): Promise<void> {
  const run = await train({ preset: "rmsnorm-11.2a", training: { max_steps: 300 } }, { signal, callbacks: [] });
  expectTypeOf(run.result).toEqualTypeOf<TrainResult>();
  expectTypeOf(run.result.census.C).toEqualTypeOf<number>();
  expectTypeOf(run.result.verdict.result).toEqualTypeOf<"null" | "positive" | "degenerate">();
  expectTypeOf(run.outcome).toEqualTypeOf<TrainOutcome>();
  await train();
  await train({ model: { from: "final" } });
  // @ts-expect-error a misspelt argument
  await train({ training: { max_step: 3 } });
  // @ts-expect-error a literal that there is not
  await train({ training: { lr_scheduler_type: "lineer" } });
  // @ts-expect-error a preset that there is not
  await train({ preset: "rmsnorm" });
  // @ts-expect-error output_dir is the product's
  await train({ training: { output_dir: "out" } });
  // @ts-expect-error a number is wanted
  await train({ training: { learning_rate: "1e-3" } });
  // @ts-expect-error the section is called training
  await train({ trainer: { max_steps: 3 } });
  // @ts-expect-error a device that there is not
  await train({ device: "gpu" });
  await train({ device: "cuda:1" });
  // @ts-expect-error cuda: wants a number
  await train({ device: "cuda:first" });
  // @ts-expect-error an option that there is not
  await train({}, { sinal: signal });
}

export async function theWrappers(): Promise<void> {
  await using started = await Bridge.start({ python: "auto" });
  expectTypeOf(started).toEqualTypeOf<Bridge>();
  expectTypeOf(
    await bridge.createModel({ config: { vocab_size: 128 }, norm: "rmsnorm", dtype: "bfloat16", init: { kind: "singular" }, seed: 42 }),
  ).toEqualTypeOf<Model>();
  await bridge.createModel({ from: "final" });
  // @ts-expect-error a saved model has its own configuration
  await bridge.createModel({ from: "final", config: { n_layer: 3 } });
  expectTypeOf(await bridge.createModel({})).toEqualTypeOf<Model>();
  // @ts-expect-error a norm that there is not
  await bridge.createModel({ config: {}, norm: "batchnorm" });
  // @ts-expect-error a dtype that there is not
  await bridge.createModel({ config: {}, dtype: "fp16" });
  // @ts-expect-error a field of another model's configuration
  await bridge.createModel({ config: { hidden_size: 64 } });
  // @ts-expect-error a model is not made with new
  new Model();

  expectTypeOf(model.parameterCount).toEqualTypeOf<number>();
  expectTypeOf(model.parameters[0]?.dtype).toEqualTypeOf<"BF16" | "F16" | "F32" | "F64" | undefined>();
  expectTypeOf(await model.tensor("transformer.wte.weight", { signal })).toEqualTypeOf<Matrix>();
  expectTypeOf(await model.forward([[1, 2]])).toEqualTypeOf<Matrix>();
  expectTypeOf(await model.generate([1], { max_new_tokens: 2, do_sample: true, seed: 1 })).toEqualTypeOf<number[]>();
  // @ts-expect-error a batch is rows of tokens
  await model.forward([1, 2]);
  // @ts-expect-error a text is not tokens
  await model.generate("He");
  // @ts-expect-error another library's name
  await model.generate([1], { max_tokens: 2 });
  // @ts-expect-error a device that there is not
  await model.to("gpu");

  const created = await bridge.createTrainer({
    model,
    data: { corpus: "gatsby.txt" },
    training: { max_steps: 1000, learning_rate: 1e-3 },
    callbacks: [],
    out: "runs",
    signal,
  });
  expectTypeOf(created).toEqualTypeOf<Trainer>();
  // @ts-expect-error a trainer needs a model
  await bridge.createTrainer({ data: { corpus: "gatsby.txt" } });
  // @ts-expect-error the seed is the model's
  await bridge.createTrainer({ model, seed: 3 });
  expectTypeOf(await trainer.train({ signal })).toEqualTypeOf<TrainOutcome>();
  expectTypeOf(await trainer.evaluate()).toEqualTypeOf<{ loss: number; perplexity: number }>();
  expectTypeOf((await trainer.state()).global_step).toEqualTypeOf<number>();
  expectTypeOf(await trainer.resume("runs/1")).toEqualTypeOf<TrainOutcome>();
  for await (const event of trainer.events()) {
    expectTypeOf(event).toEqualTypeOf<TrainEvent>();
    if (event.type === "log") expectTypeOf(event.logs["loss"]).toEqualTypeOf<number | undefined>();
    // @ts-expect-error only logs have logs
    if (event.type === "save") event.logs;
  }
}

export async function files(): Promise<void> {
  const checkpoint = await openCheckpoint("checkpoint-1000");
  expectTypeOf(checkpoint).toEqualTypeOf<Checkpoint>();
  expectTypeOf(census(await checkpoint.matrix("transformer.wte.weight"))).toEqualTypeOf<Census>();
  const run = await openRun("runs/1");
  expectTypeOf(run).toEqualTypeOf<Run>();
  expectTypeOf(await run.result({ signal })).toEqualTypeOf<TrainResult>();
  for await (const { step, matrix } of run.history()) {
    expectTypeOf(step).toEqualTypeOf<number>();
    expectTypeOf(matrix.at(0, 0)).toEqualTypeOf<number>();
  }
}

export async function analysesOfOnesOwn(history: History): Promise<void> {
  const reach = registerAnalysis({
    name: "reach",
    schema: z.strictObject({ largest: z.number() }),
    observation: { observe: () => ({ state: (_, values) => expectTypeOf(values).toExtend<Float64Array>(), end: () => 3 }), merge: Math.max },
    finish: ({ range }) => ({ largest: range }),
    title: "Reach",
    print: ({ largest }) => [largest.toFixed(1), { head: ["largest"], rows: [[String(largest)]] }],
  });
  const document = await analyze(history, { only: ["timeline", "reach"] });
  expectTypeOf(document).toEqualTypeOf<AnalysisDocument>();
  expectTypeOf(document.timeline?.C).toEqualTypeOf<readonly number[] | undefined>();
  expectTypeOf(partOf(document, reach)).toEqualTypeOf<{ largest: number } | undefined>();
  registerAnalysis({
    name: "wrong",
    schema: z.strictObject({ largest: z.number() }),
    // @ts-expect-error not what the schema says
    finish: () => ({ largest: "3" }),
    title: "Wrong",
    print: () => [],
  });
}

export class Watches extends TrainerCallback {
  override onStepEnd(event: StepEndEvent): void {
    expectTypeOf(event.loss).toEqualTypeOf<number>();
  }
  override async onLog({ logs }: LogEvent): Promise<void> {
    expectTypeOf(logs).toEqualTypeOf<Record<string, number>>();
  }
  override onEvaluate({ metrics }: EvaluateEvent): void {
    expectTypeOf(metrics).toEqualTypeOf<Record<string, number>>();
  }
  override onSave({ checkpoint }: SaveEvent): void {
    expectTypeOf(checkpoint).toEqualTypeOf<string>();
  }
  // @ts-expect-error there is no such event
  override onStepFinished(): void {}
  // As in the documentation: the types of a decider are inferred from the place where it stands.
  override decide = { every: 100, on: ["log"] as const, ask: (state: DecisionState): TrainerControl => ({ should_training_stop: state.loss < 2 }) };
}

export class Mistaken extends TrainerCallback {
  // @ts-expect-error a control that there is not
  override decide = { every: 1, ask: () => ({ should_stop: true }) };
}

export class NeverOnSave extends TrainerCallback {
  // @ts-expect-error a decider is asked at steps, logs and evaluations
  override decide = { on: ["save"] as const, ask: () => undefined };
}

export function initialStates(): InitInput[] {
  return [
    { kind: "normal" },
    { kind: "singular" },
    { kind: "qwen" },
    { kind: "snowball", sigma: 1e-5 },
    { kind: "unit-noise", sigma: 1e-5, noise_dtype: "bfloat16" },
    { kind: "file", path: "rows.safetensors", step: 3 },
    // @ts-expect-error sigma does not belong to singular
    { kind: "singular", sigma: 1 },
    // @ts-expect-error noise_dtype does not belong to snowball
    { kind: "snowball", noise_dtype: "float32" },
    // @ts-expect-error a file needs its path
    { kind: "file" },
    // @ts-expect-error a kind that there is not
    { kind: "zeros" },
    // @ts-expect-error sigma is a number
    { kind: "snowball", sigma: "small" },
  ];
}

export function configurations(): void {
  defineRun({ preset: "quick", training: { max_steps: 10 }, checkpoint: { every: 5 } });
  // @ts-expect-error a misspelt section
  defineRun({ traning: {} });
  type Parsed = z.input<typeof writtenRunConfig>;
  expectTypeOf<z.input<typeof runConfigSchema>>().toEqualTypeOf<RunConfigInput>();
  expectTypeOf<Omit<RunConfigInput, "model" | "engine">>().toEqualTypeOf<Omit<Parsed, "model" | "engine">>();
  // The same types, but zod repeats the fields that all kinds of a section share.
  expectTypeOf<RunConfigInput["model"]>().toExtend<Parsed["model"]>();
  expectTypeOf<Parsed["model"]>().toExtend<RunConfigInput["model"]>();
  expectTypeOf<RunConfigInput["engine"]>().toExtend<Parsed["engine"]>();
  expectTypeOf<Parsed["engine"]>().toExtend<RunConfigInput["engine"]>();
  expectTypeOf<TrainingArguments["max_steps"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<TrainingArguments>().not.toHaveProperty("output_dir");
  expectTypeOf<GPT2Config["n_embd"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<keyof typeof presets>().toEqualTypeOf<PresetName>();
}

/** Every code is told apart; a code that is added makes this function incomplete. */
export function told(): string {
  if (error.code === "PYTHON_RAISED") return error.python?.traceback ?? "";
  if (error.code === "PEER_EXITED") return error.exit?.signal ?? "";
  expectTypeOf(error.code).toExtend<Exclude<ErrorCode, "PYTHON_RAISED" | "PEER_EXITED">>();
  // @ts-expect-error a code that there is not
  return error.code === "PYTHON_DIED" ? "" : error.message;
}
