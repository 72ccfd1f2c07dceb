import { join } from "node:path";
import { z } from "zod";
import { Bridge } from "../bridge/bridge.js";
import { callArguments } from "../bridge/call-arguments.js";
import { hasTokenizer } from "../config/data-schema.js";
import { modelSize, seedSchema, windowLength } from "../config/run-config-fields.js";
import { BhBridgeError } from "../errors.js";
import { bytesAsText } from "../formats/tokenizer-text.js";
import { resolvePython, type UsablePython } from "../python/require-packages.js";
import { decodeTokens, encodeTexts } from "../python/run-python-script.js";
import { tokenTextOf } from "../runs/recorded-tokens.js";
import { runFiles } from "../runs/run-layout.js";
import { printable } from "../text/escaping.js";
import { count } from "../text/format.js";
import { modelSources } from "./exported.js";
import { lastStep, type ModelAtStep, modelAt } from "./model-at.js";
import { openRun } from "./open-run.js";
import { pythonOf, type TrainedBefore } from "./train-again.js";

const token = z.int().nonnegative();

/** Text that the model of a step generates. */
export const generationSchema = z.strictObject({
  /** Absolute path. */
  run: z.string(),
  step: token,
  /** How the model of that step was obtained. */
  from: z.enum(modelSources),
  /** Number of recorded states that were compared with the model and the steps before it, all equal in every bit. */
  verified: token,
  texts: z.array(
    z.strictObject({
      prompt: z.string(),
      /** The continuation, without the prompt; a byte that is no whole character is written as `<0xE2>`. */
      text: z.string(),
      promptTokens: z.array(token),
      /** Tokens of the continuation. */
      tokens: z.array(token),
    }),
  ),
});
export type Generation = z.output<typeof generationSchema>;

const samplingSchema = z.strictObject({
  /** Maximum number of new tokens (default: 64, or as many as the model has positions for). */
  maxTokens: z.int().positive().optional(),
  /** 0 always takes the most likely token (default). */
  temperature: z.number().nonnegative().optional(),
  /** Number of most likely tokens to sample from (default: all). */
  topK: z.int().positive().optional(),
  /** Seed of the first prompt; each further one adds 1 (default: 0). */
  seed: seedSchema.optional(),
});
/** How a prompt is continued. */
export type SamplingOptions = z.input<typeof samplingSchema>;

const generateArguments = z.strictObject({
  run: z.string(),
  /** Texts to continue. */
  prompts: z.array(z.string()).min(1).readonly(),
  /** Training step of the model (default: the last recorded one). */
  step: z.int().nonnegative().optional(),
  /** Present path of the same text, for a step that is trained again. */
  corpus: z.string().optional(),
  /** Path of an interpreter (default: from the run's configuration). */
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  ...samplingSchema.shape,
});
/** Options of `generateText`. */
export type GenerateTextOptions = Omit<z.input<typeof generateArguments>, "run">;

/**
 * Continue texts with the model of a run after any step.
 * @param run path of its directory.
 * @throws {BhBridgeError} `USAGE` for a prompt with characters that the model has no token for, and for a run that was trained on token numbers; as
 *   `Run.modelAt`.
 */
export async function generateText(run: string, options: GenerateTextOptions): Promise<Generation> {
  const { run: path, prompts, step, corpus, python, signal, ...sampling } = callArguments("generateText", generateArguments, { ...options, run });
  const opened = await openRun(path);
  const found = await resolvePython(pythonOf(opened, python), signal);
  const tokens = await promptTokens(opened, prompts, found, { maxTokens: sampling.maxTokens, signal });
  using model = await modelAt(opened, step ?? lastStep(opened), { corpus, python, signal });
  return await generateWith({ run: opened, model, prompts, tokens }, found, sampling, signal);
}

/**
 * The tokens of prompts, by the run's tokenizer or as bytes, before anything is trained.
 * @param maxTokens number of new tokens, which must have positions too.
 * @throws {BhBridgeError} `USAGE` as `generateText`.
 */
export async function promptTokens(
  run: TrainedBefore,
  prompts: readonly string[],
  python: UsablePython,
  { maxTokens = 1, signal }: { maxTokens?: number | undefined; signal?: AbortSignal | undefined } = {},
): Promise<number[][]> {
  const { directory, config } = run;
  if (!tokenTextOf(directory, config)) {
    throw new BhBridgeError("USAGE", `${directory} was trained on token numbers, and the text of its tokens is not known: use model.generate() with tokens`);
  }
  const tokens = hasTokenizer(config)
    ? await encodeTexts(python.path, join(directory, runFiles.tokenizer), prompts, signal)
    : prompts.map((prompt) => [...Buffer.from(prompt)]);
  const positions = modelSize(config.model, "positions") ?? windowLength(config);
  for (const [index, each] of tokens.entries()) {
    const name = `the prompt "${printable(prompts[index] ?? "", 60)}"`;
    const beyond = each.find((token) => token >= config.model.vocab_size);
    if (beyond !== undefined) {
      throw new BhBridgeError("USAGE", `${name} has the byte ${beyond}, but the model has only the tokens 0 to ${config.model.vocab_size - 1}`);
    }
    if (each.length === 0) throw new BhBridgeError("USAGE", `${name} has no token: a prompt requires at least one`);
    if (each.length + maxTokens > positions) {
      const room = positions - each.length;
      const remedy = room > 0 ? `At most ${count(room, "new token")} fit` : "Use a shorter one";
      throw new BhBridgeError(
        "USAGE",
        `${name} has ${count(each.length, "token")}, and the model has ${positions} positions for it and the new ones. ${remedy}`,
      );
    }
  }
  return tokens;
}

/** A model and the prompts that it continues. */
interface Prompted {
  readonly run: TrainedBefore;
  readonly model: ModelAtStep;
  readonly prompts: readonly string[];
  /** Of each prompt. */
  readonly tokens: readonly (readonly number[])[];
}

const defaultMaxTokens = 64;

/** Load the model of a step into Python and continue prompts. @throws {BhBridgeError} as `Model.generate`. */
export async function generateWith(
  { run, model, prompts, tokens }: Prompted,
  python: UsablePython,
  { maxTokens, temperature = 0, topK, seed = 0 }: SamplingOptions,
  signal?: AbortSignal,
): Promise<Generation> {
  const { config, manifest, directory } = run;
  await using bridge = await Bridge.startWith(python, { threads: manifest.environment.threads, device: "cpu", signal });
  const loaded = await bridge.buildModel({ ...config, model: { ...config.model, from: model.directory }, init: { kind: "normal" } }, signal);
  const sampling = temperature === 0 ? {} : { do_sample: true, temperature, top_k: topK ?? 0 };
  const continued: number[][] = [];
  for (const [index, prompt] of tokens.entries()) {
    const max_new_tokens = maxTokens ?? Math.max(1, Math.min(defaultMaxTokens, windowLength(config) - prompt.length));
    const all = await loaded.generate(prompt, { max_new_tokens, ...sampling, seed: (seed + index) % 2 ** 32, signal });
    continued.push(all.slice(prompt.length));
  }
  const texts = hasTokenizer(config)
    ? await continuations(python, join(directory, runFiles.tokenizer), tokens, continued, signal)
    : continued.map((each) => bytesAsText(Uint8Array.from(each)));
  return {
    run: directory,
    step: model.step,
    from: model.from,
    verified: model.verified,
    texts: prompts.map((prompt, index) => ({
      prompt,
      text: texts[index] ?? "",
      promptTokens: [...(tokens[index] ?? [])],
      tokens: continued[index] ?? [],
    })),
  };
}

/** The texts of continuations. Some tokenizers decode a token differently at the start of a text. */
async function continuations(
  python: UsablePython,
  tokenizer: string,
  prompts: readonly (readonly number[])[],
  continued: readonly (readonly number[])[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const wholes = prompts.map((prompt, index) => [...prompt, ...(continued[index] ?? [])]);
  const texts = await decodeTokens(python.path, tokenizer, [...prompts, ...wholes, ...continued], signal);
  return prompts.map((_, index) => {
    const [prompt = "", whole = "", alone = ""] = [0, 1, 2].map((group) => texts[group * prompts.length + index]);
    return whole.startsWith(prompt) ? whole.slice(prompt.length) : alone;
  });
}
