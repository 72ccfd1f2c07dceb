import { configInvalid } from "../config/config-invalid.js";
import { type Engine, portableRecipe } from "../config/engine-schema.js";
import { matchingTokens, type RecordRows, type RecordSchedule, stepsOfSchedule } from "../config/record-schema.js";
import { trainingSeeds, windowLength } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { tokenizerText } from "../formats/tokenizer-text.js";
import type { Handle, PythonEnvironment, ReplyOf, RequestOf } from "../protocol/operations.js";
import type { EventReceiver } from "../python/event-channel.js";
import type { PythonSession } from "../python/python-session.js";
import type { EnvironmentPin } from "../runs/run-manifest.js";
import type { CallbackDispatcher } from "./callback-dispatcher.js";
import { planResume } from "./resume-plan.js";
import { RunRecord, StartedRun, UnstartedRun } from "./run-record.js";
import type { ResumeOptions, TrainerSetup } from "./trainer-options.js";

type CreateRequest = RequestOf<"trainer.create">;

/** Fields of a request that the configuration does not determine. */
interface RequestContext
  extends Pick<CreateRequest, "model" | "run_directory" | "device" | "events" | "deciders" | "resume" | "start_from" | "until" | "trace"> {
  /** Absolute path of the corpus, or of each of its files with its windows. */
  corpus: CreateRequest["data"]["corpus"];
  /** Absolute path of the tokenizer, null if tokens are bytes. */
  tokenizer: string | null;
}

/** Expand a pattern of rows to a list, since only Node knows the text of tokens. */
function rowsOf(rows: RecordRows, vocabulary: number, tokenizer: string | null): RecordRows {
  if (typeof rows !== "string" || !rows.startsWith("/")) return rows;
  return tokenizer === null ? matchingTokens(rows, vocabulary) : matchingTokens(rows, vocabulary, tokenizerText(tokenizer));
}

function engineRequest(config: RunConfig): CreateRequest["engine"] {
  const { engine } = config;
  if (engine.name === "trainer") return engine;
  if (engine.name === "portable") return { ...engine, processes: 1 };
  const { name, graph, batched_runs } = engine;
  return { name, graph, batched_runs, processes: 1 };
}

/** The record settings with expanded schedules and rows. */
function recordRequest({ record, model, training }: RunConfig, tokenizer: string | null): CreateRequest["record"] {
  const steps = (schedule: RecordSchedule) => (typeof schedule === "string" ? stepsOfSchedule(schedule, training.max_steps) : schedule);
  const { schedules, ...rest } = record;
  const ofTensors = schedules && Object.fromEntries(Object.entries(schedules).map(([tensor, schedule]) => [tensor, steps(schedule)]));
  return { ...rest, every: steps(record.every), ...(ofTensors && { schedules: ofTensors }), rows: rowsOf(record.rows, model.vocab_size, tokenizer) };
}

/** The request that builds the trainer of a configuration. */
export function createRequest(config: RunConfig, { corpus, tokenizer, ...context }: RequestContext): CreateRequest {
  const { data, training, model, noise, checkpoint, track } = config;
  const { train_tokenizer: _trained, field: _field, ...text } = data;
  const seeds = trainingSeeds(config);
  return {
    ...context,
    engine: engineRequest(config),
    data: { ...text, corpus, tokenizer, window_length: windowLength(config) },
    training: JSON.parse(JSON.stringify(training)), // drops undefined fields
    dtype: model.dtype,
    seed: seeds.noise,
    data_seed: seeds.data,
    noise,
    record: recordRequest(config, tokenizer),
    checkpoint,
    track,
  };
}

export interface ResolvedDevice {
  kind: "cpu" | "cuda" | "mps";
  /** Recorded name: `cpu`, `mps`, or `cuda: NVIDIA H100`, since bits differ between GPU models. */
  label: string;
}

/**
 * Choose the device of a configuration. For `cuda:N`, Python has started with that GPU as its only visible one.
 * @throws {BhBridgeError} `DEVICE_UNAVAILABLE`, naming the available devices.
 */
export function resolveDevice(wanted: string, { devices }: PythonEnvironment): ResolvedDevice {
  const [gpu] = devices.cuda;
  const cuda: ResolvedDevice | undefined = gpu === undefined ? undefined : { kind: "cuda", label: `cuda: ${gpu}` };
  const mps: ResolvedDevice | undefined = devices.mps ? { kind: "mps", label: "mps" } : undefined;
  const cpu: ResolvedDevice = { kind: "cpu", label: "cpu" };
  if (wanted === "auto") return cuda ?? mps ?? cpu;
  const found = wanted === "cpu" ? cpu : wanted === "mps" ? mps : cuda;
  if (found) return found;
  const available = [cuda, mps, cpu].flatMap((device) => device?.label ?? []).join(", ");
  throw new BhBridgeError(
    "DEVICE_UNAVAILABLE",
    `device ${wanted} is not available: PyTorch sees ${available}. Choose one of them with device (--device on the command line), or run "bh-bridge doctor"`,
  );
}

/**
 * Refuse engine `fast` where the steps would be computed on a CPU.
 * @param device the kind of the resolved device; `auto` is not refused.
 * @throws {BhBridgeError} `CONFIG_INVALID`.
 */
export function requireGpu({ engine }: { engine: Engine }, device: string): void {
  if (engine.name !== "fast" || device !== "cpu") return;
  const remedy = "Train a new run with --engine portable: it is faster on a CPU and gives the same bits on every machine";
  const earlier = "To resume or reproduce a run that fast computed on a CPU, use version 0.2";
  throw configInvalid([{ path: "engine", message: `fast supports only GPUs, and this training would run on the CPU. ${remedy}. ${earlier}` }]);
}

/** The environment that a run records: process and device. */
export function environmentPin({ packages, ...environment }: PythonEnvironment, device: ResolvedDevice, engine?: Engine["name"]): EnvironmentPin {
  const { threads, cpu_capability, processor, python, torch, platform } = environment;
  const version = (name: string) => packages[name] ?? "";
  const versions = { transformers: version("transformers"), accelerate: version("accelerate"), safetensors: version("safetensors"), numpy: version("numpy") };
  const recipe = engine === "portable" ? { recipe: portableRecipe } : {};
  return { device: device.label, threads, cpu_capability, processor, python, torch, ...versions, platform, ...recipe };
}

export interface Preparation extends TrainerSetup {
  session: PythonSession;
  device: ResolvedDevice;
  dispatcher: CallbackDispatcher;
  receiver: EventReceiver;
}

/** A run that Python is ready to train. */
export interface PreparedRun {
  run: StartedRun;
  record: RunRecord;
  handle: Handle;
  /** Training starts with the model's present weights, not with a checkpoint of the run. */
  isFromStart: boolean;
  unstarted?: UnstartedRun;
}

/** Create a new run. @throws {BhBridgeError} as `Trainer.prepare`; the directory is removed then. */
export async function beginRun(preparation: Preparation, signal: AbortSignal | undefined): Promise<PreparedRun> {
  const { session, device, resolved } = preparation;
  const record = await RunRecord.create(preparation, environmentPin(session.environment, device, resolved.config.engine.name));
  const unstarted = new UnstartedRun(record, session.ended);
  const reply = await createTrainer(preparation, record, null, signal, unstarted);
  return awaitCallbacks(preparation, { run: new StartedRun(record, reply), record, handle: reply.handle, isFromStart: true, unstarted });
}

/**
 * Reopen a run that ended early. Python takes its lock, so nothing is written before Python has answered.
 * @throws {BhBridgeError} as `Trainer.resume`.
 */
export async function reopenRun(preparation: Preparation, directory: string, { allowInexact = false, signal }: ResumeOptions): Promise<PreparedRun> {
  const { session, resolved, corpus, device } = preparation;
  const environment = environmentPin(session.environment, device, resolved.config.engine.name);
  const plan = planResume(directory, { config: resolved.config, corpus, environment }, allowInexact);
  const record = RunRecord.reopen(plan);
  const reply = await createTrainer(preparation, record, plan.exact ? "exact" : "inexact", signal);
  if (reply.from_step > 0) preparation.model.changes.push(`its weights were replaced by those of a checkpoint of ${record.directory}`);
  record.resumed(plan, resolved, environment, reply);
  return awaitCallbacks(preparation, { run: new StartedRun(record, reply), record, handle: reply.handle, isFromStart: reply.from_step === 0 });
}

/** Release a prepared run in Python. If its training never began, its directory is removed. */
export async function releaseRun(session: PythonSession, { handle, unstarted }: Pick<PreparedRun, "handle" | "unstarted">): Promise<void> {
  await session.forget("trainer.close", handle);
  unstarted?.discard();
}

async function createTrainer(
  { session, resolved, model, corpus, device, dispatcher, receiver, until, trace }: Preparation,
  { directory, manifest }: RunRecord,
  resume: "exact" | "inexact" | null,
  signal: AbortSignal | undefined,
  unstarted?: UnstartedRun,
): Promise<ReplyOf<"trainer.create">> {
  const readFrom = (path: string) => corpus.readFrom.get(path) ?? path;
  const request = createRequest(resolved.config, {
    model: model.handle,
    run_directory: directory,
    corpus: corpus.files?.map(({ path, windows }) => ({ path: readFrom(path), windows })) ?? readFrom(corpus.path),
    tokenizer: corpus.tokenizer?.path ?? null,
    device: device.kind,
    events: dispatcher.events,
    deciders: dispatcher.deciders,
    resume,
    start_from: manifest.start_from,
    until: until ?? null,
    trace: trace ?? null,
  });
  const onAbandoned = (reply?: ReplyOf<"trainer.create">) => {
    if (reply) void releaseRun(session, { handle: reply.handle, ...(unstarted && { unstarted }) });
    else unstarted?.discard();
  };
  try {
    return await session.invoke("trainer.create", request, { signal, receiver, onAbandoned });
  } catch (error) {
    if (!signal?.aborted) unstarted?.discard(); // else Python may still be writing into it
    throw error;
  }
}

/** Wait until the callbacks have handled `onInitEnd`. */
async function awaitCallbacks({ session, dispatcher }: Preparation, prepared: PreparedRun): Promise<PreparedRun> {
  try {
    await dispatcher.delivered();
    return prepared;
  } catch (error) {
    await releaseRun(session, prepared);
    throw error;
  }
}
