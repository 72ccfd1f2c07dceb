import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mersenne } from "pure-rand/generator/mersenne";
import { type Census, census } from "../analysis/census/census.js";
import { rowValues } from "../analysis/census/row-values.js";
import { portableRecipe } from "../config/engine-schema.js";
import { isTrainedInBrowser } from "../config/models/families.js";
import { corpusFiles } from "../config/paths-in-config.js";
import { windowLength } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { type History, readState, stepsOf } from "../formats/history.js";
import { isTokenArray } from "../formats/text/text-files.js";
import type { TrainEvent } from "../protocol/events.js";
import { packageRoot } from "../python/package-manifest.js";
import type { RunManifest } from "../runs/run-manifest.js";
import { packed } from "./replay-frames.js";

type Gpt2 = Extract<RunConfig["model"], { type: "gpt2" }>;

/** The part of a configuration that decides the bits of a training by engine `portable`. */
export interface RetrainedConfig {
  readonly seed: number;
  readonly seeds: RunConfig["seeds"];
  readonly init: Extract<RunConfig["init"], { kind: "normal" | "singular" | "snowball" | "unit-noise" }>;
  readonly data: Pick<RunConfig["data"], "windows" | "label_shift" | "window_length">;
  readonly model: Pick<
    Gpt2,
    | "norm"
    | "dtype"
    | "vocab_size"
    | "n_positions"
    | "n_embd"
    | "n_layer"
    | "n_head"
    | "n_inner"
    | "layer_norm_epsilon"
    | "initializer_range"
    | "scale_attn_weights"
    | "scale_attn_by_inverse_layer_idx"
    | "tie_word_embeddings"
  >;
  readonly training: Pick<
    RunConfig["training"],
    | "max_steps"
    | "per_device_train_batch_size"
    | "gradient_accumulation_steps"
    | "train_sampling_strategy"
    | "learning_rate"
    | "lr_scheduler_type"
    | "warmup_steps"
    | "weight_decay"
    | "decay_norms"
    | "max_grad_norm"
    | "adam_beta1"
    | "adam_beta2"
    | "adam_epsilon"
    | "optimizer_state_dtype"
    | "dataloader_drop_last"
  >;
}

/** Everything that a browser needs to train the first steps of a run again and to compare every bit with what was recorded. */
export interface Retraining {
  readonly config: RetrainedConfig;
  /** The text, or the windows of the first steps in their order: base64 of the raw DEFLATE of tokens of one byte. */
  readonly text: { readonly kind: "corpus" | "windows"; readonly tokens: string };
  readonly deadTokens: readonly number[];
  /** Steps with a recorded snapshot, from 0. */
  readonly steps: readonly number[];
  /** SHA-256 of each snapshot: base64 of `[steps, 32]`. */
  readonly hashes: string;
  /** One byte of a hash of each row, which finds the first row that differs: base64 of `[steps, rows]`. */
  readonly rows: string;
  /** Rows in black holes and distinct rows of each snapshot. */
  readonly P: readonly number[];
  readonly unique: readonly number[];
  /** From step 1 on, as recorded. */
  readonly losses: readonly (number | null)[];
}

/** Engine portable as WebAssembly. */
export const portableLibrary = join(packageRoot, "python/bh_bridge/portable/builds/portable.wasm");

/** Steps that a report embeds. */
const retrainedSteps = 200;
/** Larger models train too slowly in a browser. */
const mostParameters = 4_000_000;
const isOneOf = (value: unknown, values: readonly unknown[]): boolean => values.includes(value);

/** Whether the bits of a run are those of every machine. */
export function isPortable({ engine }: Pick<RunConfig, "engine">): boolean {
  return engine.name === "portable";
}

/** Why a browser cannot train a run of engine `portable` again; undefined if it can. The text is not checked. */
export function obstacleToRetraining({ config, manifest }: Pick<RetrainedRun, "config" | "manifest">): string | undefined {
  const { data, model, init, noise, record, training } = config;
  const { recipe } = manifest.environment;
  if (recipe !== portableRecipe) return `it was computed by recipe ${recipe}, and this version of bh-bridge has recipe ${portableRecipe}`;
  if (!isTrainedInBrowser(model)) return "only GPT-2 can be trained in a browser";
  if (manifest.parameters > mostParameters) return "the model is too large for a browser";
  if (model.from !== null || manifest.start_from !== null || manifest.model_changes.length > 0) return "it does not start from its own initial weights";
  if (init.kind === "file" || init.kind === "python" || (init.kind === "unit-noise" && init.noise_dtype === "bfloat16")) {
    return `a browser cannot draw the initial state ${init.kind}`;
  }
  if (noise.epsilon > 0) return "a browser cannot draw its noise";
  if (record.rows !== "all") return "not all rows were recorded";
  if (Array.isArray(data.corpus) || manifest.corpus.documents !== undefined) return "its corpus has several texts";
  if (manifest.corpus.tokenizer || manifest.corpus.characters === 0) return "its tokens are not bytes";
  if (data.held_out > 0) return "part of its text is held out";
  if (!isOneOf(training.lr_scheduler_type, ["linear", "constant", "constant_with_warmup", "inverse_sqrt"]))
    return `a browser does not have the schedule ${training.lr_scheduler_type}`;
  return undefined;
}

/** The bytes of a text below the vocabulary, with all newlines as LF; undefined if the text is not that of the run. */
function textOfRun(config: RunConfig, { corpus }: RunManifest): Uint8Array | undefined {
  const [file] = corpusFiles(config);
  if (!file || isTokenArray(file.path)) return undefined;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file.path);
  } catch {
    return undefined;
  }
  if (createHash("sha256").update(bytes).digest("hex") !== corpus.sha256) return undefined;
  const tokens = tokensOfText(bytes, config.model.vocab_size);
  return tokens.length === corpus.tokens ? tokens : undefined;
}

/** The tokens of a text without a tokenizer, as Python reads them. */
export function tokensOfText(text: Uint8Array, vocabulary: number): Uint8Array {
  const tokens = new Uint8Array(text.length);
  let count = 0;
  for (const [index, byte] of text.entries()) {
    const isPartOfNewline = byte === lineFeed && text[index - 1] === carriageReturn;
    const token = byte === carriageReturn ? lineFeed : byte;
    if (!isPartOfNewline && token < vocabulary) tokens[count++] = token;
  }
  return tokens.subarray(0, count);
}

const lineFeed = 10;
const carriageReturn = 13;

/** The files of a run. */
export interface RetrainedRun {
  readonly config: RunConfig;
  readonly manifest: RunManifest;
  history(): Promise<History>;
  events(): readonly TrainEvent[];
}

/**
 * What a browser needs to train the first steps of a run again; undefined for other engines than portable.
 * @param most number of steps.
 * @returns the reason if a browser cannot.
 */
export async function retrainingOf(run: RetrainedRun, most: number = retrainedSteps): Promise<Retraining | string | undefined> {
  const { config, manifest } = run;
  if (!isPortable(config)) return undefined;
  const obstacle = obstacleToRetraining(run);
  if (obstacle !== undefined) return obstacle;
  if (!existsSync(portableLibrary)) return "this installation lacks engine portable as WebAssembly";
  const tokens = textOfRun(config, manifest);
  if (!tokens) return "its text has moved or changed";
  const history = await run.history();
  if (history.dtype !== "BF16" || history.states < 2) return "it has recorded no step in bfloat16";
  const steps = stepsOf(history).filter((step) => step <= most);
  const hashes: Buffer[] = [];
  const rows = new Uint8Array(steps.length * history.tokens);
  const counts: Pick<Census, "P" | "unique">[] = [];
  for (const state of steps.keys()) {
    const matrix = readState(history, state);
    const { dtype, bytes, columns } = matrix;
    counts.push(census(matrix));
    hashes.push(createHash("sha256").update(bytes).digest());
    const values = rowValues(dtype, bytes, columns);
    for (let row = 0; row < history.tokens; row++) rows[state * history.tokens + row] = values.hash(row) ?? 0;
  }
  const last = steps.at(-1) ?? 0;
  const losses = new Map(run.events().flatMap((event) => (event.type === "step_end" && event.global_step <= last ? [[event.global_step, event.loss]] : [])));
  return {
    config: retrainedConfig(config),
    text: textFor(config, manifest, tokens, last),
    deadTokens: manifest.corpus.deadTokens,
    steps,
    hashes: Buffer.concat(hashes).toString("base64"),
    rows: Buffer.from(rows).toString("base64"),
    P: counts.map(({ P }) => P),
    unique: counts.map(({ unique }) => unique),
    losses: Array.from({ length: last }, (_, index) => losses.get(index + 1) ?? null),
  };
}

/** The part of a configuration that a browser needs. @throws {TypeError} for a run that has an obstacle. */
function retrainedConfig({ seed, seeds, init, data, model, training }: RunConfig): RetrainedConfig {
  if (!isTrainedInBrowser(model) || init.kind === "file" || init.kind === "python") throw new TypeError("a browser cannot train this run");
  return {
    seed,
    seeds: { ...seeds, data: seeds.data ?? training.data_seed ?? null },
    init,
    data: picked(data, "windows", "label_shift", "window_length"),
    model: picked(
      model,
      "norm",
      "dtype",
      "vocab_size",
      "n_positions",
      "n_embd",
      "n_layer",
      "n_head",
      "n_inner",
      "layer_norm_epsilon",
      "initializer_range",
      "scale_attn_weights",
      "scale_attn_by_inverse_layer_idx",
      "tie_word_embeddings",
    ),
    training: picked(
      training,
      "max_steps",
      "per_device_train_batch_size",
      "gradient_accumulation_steps",
      "train_sampling_strategy",
      "learning_rate",
      "lr_scheduler_type",
      "warmup_steps",
      "weight_decay",
      "decay_norms",
      "max_grad_norm",
      "adam_beta1",
      "adam_beta2",
      "adam_epsilon",
      "optimizer_state_dtype",
      "dataloader_drop_last",
    ),
  };
}

function picked<Section extends object, Name extends keyof Section>(section: Section, ...names: Name[]): Pick<Section, Name> {
  return Object.fromEntries(names.map((name) => [name, section[name]])) as Pick<Section, Name>;
}

/** The text, or the windows of the first steps if they are smaller. Tokens are bytes. */
function textFor(config: RunConfig, manifest: RunManifest, tokens: Uint8Array, steps: number): Retraining["text"] {
  const { data, training, seed, seeds } = config;
  const count = steps * training.per_device_train_batch_size * training.gradient_accumulation_steps;
  const length = windowLength(config);
  const isChunked = data.windows === "chunks";
  const span = length + (isChunked && data.label_shift === "causal" ? 0 : 1);
  const { windows } = manifest.corpus;
  if (tokens.length <= count * span || windows < count) return { kind: "corpus", tokens: packed(tokens) };
  const isInOrder = training.train_sampling_strategy === "sequential";
  const order = isInOrder ? Array.from({ length: count }, (_, index) => index) : firstOfPermutation(windows, seeds.data ?? training.data_seed ?? seed, count);
  const cut = new Uint8Array(count * span);
  for (const [index, window] of order.entries()) {
    const start = window * (isChunked ? length : 1);
    cut.set(tokens.subarray(start, start + span), index * span);
  }
  return { kind: "windows", tokens: packed(cut) };
}

/** The first numbers of torch.randperm of a generator with a seed. */
export function firstOfPermutation(size: number, seed: number, count: number): number[] {
  const generator = mersenne(seed);
  const moved = new Map<number, number>();
  return Array.from({ length: Math.min(size, count) }, (_, index) => {
    const other = index < size - 1 ? index + ((generator.next() >>> 0) % (size - index)) : index;
    const chosen = moved.get(other) ?? other;
    moved.set(other, moved.get(index) ?? index);
    return chosen;
  });
}
