import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { configInvalid } from "../config/config-invalid.js";
import type { TokenizerKind } from "../config/data-schema.js";
import { BhBridgeError } from "../errors.js";
import { lastLines } from "./failures.js";
import { pythonCandidates } from "./find-python.js";
import { packageRoot } from "./package-manifest.js";
import { pythonVariables, suspectVariables } from "./python-variables.js";

interface PythonScript {
  /** Path of a script under `python/bh_bridge`. */
  file: string;
  args?: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Number of last output lines in an error: the exception and its origin. */
const quotedLines = 5;

/**
 * Run a script of bh-bridge with an unknown interpreter. The script prints a JSON object on one line, after the marker that it gets as an argument.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` if the path cannot be run, prints no such line or does not end in time; `ABORTED` by the signal, and by Ctrl-C.
 */
export async function runPythonScript(interpreter: string, { file, args = [], timeoutMs, signal }: PythonScript): Promise<unknown> {
  const marker = `bh-bridge-${randomUUID()}:`;
  const subprocess = execa(interpreter, [join(packageRoot, "python", "bh_bridge", file), marker, ...args], {
    reject: false,
    stdin: "ignore",
    env: pythonVariables(),
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(signal && { cancelSignal: signal }),
  });
  subprocess.once("exit", (_code, killedBy) => {
    // The child of a killed wrapper can outlive it and hold the pipes open.
    if (killedBy === "SIGKILL") for (const stream of [subprocess.stdout, subprocess.stderr]) stream.destroy();
  });
  const result = await subprocess;
  const line = result.stdout.split(/\r?\n/).find((each) => each.startsWith(`${marker}{`));
  if (line !== undefined) return JSON.parse(line.slice(marker.length));

  const { exitCode = null, signal: killedBy = null } = result;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", `the call of ${interpreter} was cancelled`, { cause: result });
  const output = lastLines(`${result.stdout}\n${result.stderr}`, quotedLines);
  let reason = `is not a working Python: it ended with ${killedBy ?? `exit code ${exitCode}`} and printed: ${output.join(" / ") || "nothing"}`;
  if (result.timedOut) reason = `did not answer within ${timeoutMs / 1000} s, so it is not a usable Python`;
  else if (exitCode === null && killedBy === null) reason = `cannot be run: ${result.failed ? result.originalMessage : "it did not start"}`;
  const message = `${interpreter} ${reason}. Name another interpreter with python (--python on the command line)${suspectVariables()}`;
  throw new BhBridgeError("PYTHON_NOT_FOUND", message, { cause: result, exit: { exitCode, signal: killedBy, lastLines: output } });
}

const lackingSchema = z.object({ missing: z.string() });

/**
 * Run a script with the first Python that has a library. The script answers with `missing` where it is not installed.
 * @param what that needs the library, for the message.
 * @throws {BhBridgeError} `PYTHON_DEPENDENCY_MISSING` with the command that installs it; as `runPythonScript`.
 */
export async function runScriptWith(library: string, { python, what }: { python: string | undefined; what: string }, script: PythonScript): Promise<unknown> {
  const candidates = pythonCandidates(python === undefined ? {} : { python });
  for (const { path } of candidates) {
    const answer = await runPythonScript(path, script);
    if (!lackingSchema.safeParse(answer).success) return answer;
  }
  throw new BhBridgeError(
    "PYTHON_DEPENDENCY_MISSING",
    `${what} requires Python's ${library}, which is not installed. Install it with: ${candidates[0].path} -m pip install ${library}`,
  );
}

const trainedSchema = z.object({ vocabulary: z.int() });
const countedSchema = z.object({
  tokenizer: z.string(),
  vocabulary: z.int(),
  characters: z.int(),
  tokens: z.int(),
  live: z.array(z.int()),
  unreachable: z.array(z.int()),
  restored: z.boolean(),
  documents: z.int(),
  /** Text that joins two documents. */
  joint: z.string(),
  separate: z.strictObject({ windows: z.int(), heldOut: z.int() }).nullable(),
});
const unusableSchema = z.object({ unusable: z.string() });
const missingSchema = z.object({ missing: z.array(z.string()) });
const problemSchema = z.object({ problem: z.string() });

/** A gigabyte of text takes minutes. */
const timeoutMs = 3_600_000;

/** How to train a tokenizer. */
export interface TrainedTokenizer {
  kind: TokenizerKind;
  /** Maximum number of tokens. */
  vocab: number;
  /** Paths of the texts to train on, each in full. */
  corpora: readonly string[];
}

/** Train a tokenizer in Python and write it to `out`. @throws {BhBridgeError} `CORPUS_INVALID` with the library's message, `ABORTED`. */
export async function trainTokenizer(python: string, request: TrainedTokenizer & { out: string }, signal?: AbortSignal): Promise<{ vocabulary: number }> {
  return trainedSchema.parse(await ask(python, { do: "train", ...request }, request.corpora.join(", "), signal));
}

export type TokenCounts = z.output<typeof countedSchema>;

/** A text to count: the path of its prepared text, null for the tokenizer alone, and its name in errors. */
export interface CountedText {
  corpus: string | null;
  name: string;
  /** How windows are cut if documents are separate. */
  separate?: { length: number; span: number; stride: number; held_out: number } | undefined;
}

/**
 * Count the tokens of a corpus in Python.
 * @param tokenizer path of a tokenizer or of a directory with one, or how to train one if it has not been trained before.
 * @throws {BhBridgeError} `CORPUS_INVALID` with the library's message, `CONFIG_INVALID` for what is not a tokenizer, `PYTHON_DEPENDENCY_MISSING` if it cannot be
 *   converted, `ABORTED`.
 */
export async function countTokens(
  python: string,
  { name, ...text }: CountedText,
  tokenizer: string | TrainedTokenizer,
  signal?: AbortSignal,
): Promise<TokenCounts> {
  const answer = await ask(python, { do: "count", ...text, tokenizer }, name, signal);
  const { data: lacking } = missingSchema.safeParse(answer);
  if (lacking) {
    const packages = lacking.missing.join(" ");
    throw new BhBridgeError(
      "PYTHON_DEPENDENCY_MISSING",
      `the tokenizer in ${typeof tokenizer === "string" ? tokenizer : name} requires ${packages}, which ${python} does not have. Install it with: ${python} -m pip install ${packages}. Or train on bytes with data.tokenizer=null`,
    );
  }
  const { success, data } = unusableSchema.safeParse(answer);
  if (success) {
    const name = typeof tokenizer === "string" ? tokenizer : "the cached tokenizer of an earlier training";
    const message = `${name} is not a tokenizer of Hugging Face's: ${data.unusable}. Make one with "bh-bridge tokenizer train", or set it to null for bytes`;
    throw configInvalid([{ path: "data.tokenizer", message }]);
  }
  return countedSchema.parse(answer);
}

async function ask(python: string, request: object, corpus: string, signal: AbortSignal | undefined): Promise<unknown> {
  const answer = await runPythonScript(python, { file: "data/tokenizing.py", args: [JSON.stringify(request)], timeoutMs, signal });
  const { success, data } = problemSchema.safeParse(answer);
  if (success) throw new BhBridgeError("CORPUS_INVALID", `${corpus} cannot be tokenized: ${data.problem}`);
  return answer;
}

/** Tokens of texts by a tokenizer.json, without special tokens around them. @throws {BhBridgeError} `CORPUS_INVALID` with the library's message, `ABORTED`. */
export async function encodeTexts(python: string, tokenizer: string, texts: readonly string[], signal?: AbortSignal): Promise<number[][]> {
  return z.object({ tokens: z.array(z.array(z.int())) }).parse(await ask(python, { do: "encode", tokenizer, texts }, "the prompt", signal)).tokens;
}

/** Texts of tokens by a tokenizer.json. @throws {BhBridgeError} as `encodeTexts`. */
export async function decodeTokens(python: string, tokenizer: string, tokens: readonly (readonly number[])[], signal?: AbortSignal): Promise<string[]> {
  return z.object({ texts: z.array(z.string()) }).parse(await ask(python, { do: "decode", tokenizer, texts: tokens }, "the text", signal)).texts;
}

/** A build of engine `portable` for this machine. */
export const portableBuildSchema = z.strictObject({
  name: z.string(),
  sha256: z.string(),
  usable: z.boolean(),
  /** Why it cannot be used. */
  reason: z.string().optional(),
});

const answerSchema = z.object({
  portable: z.object({ used: z.string().nullable(), problem: z.string().nullable(), builds: z.array(portableBuildSchema) }),
  environment: z.object({
    cpu_capability: z.string(),
    threads: z.int(),
    devices: z.object({ cuda: z.array(z.string()), mps: z.boolean() }),
  }),
  training_arguments: z.array(z.string()),
  gpt2_config: z.array(z.string()),
});

/** Devices and threads of torch, builds of engine `portable`, and the field names of `TrainingArguments` and `GPT2Config` of transformers. */
export type TorchAnswer = z.infer<typeof answerSchema>;

/** The imports take 2 s, or a minute from a cold network disk. They can hang with a broken GPU driver. */
const importTimeoutMs = 180_000;

/** Import torch and transformers in an interpreter and report devices, builds and fields; about 2 s. @throws {BhBridgeError} as `probePython`. */
export async function askTorch(path: string, signal?: AbortSignal): Promise<TorchAnswer> {
  return answerSchema.parse(await runPythonScript(path, { file: "scripts/doctor.py", timeoutMs: importTimeoutMs, signal }));
}

/** The request to `python/bh_bridge/scripts/draw_states.py`. */
export interface StatesRequest {
  readonly init: object;
  readonly dtype: string;
  readonly vocab: number;
  readonly dim: number;
  readonly initializer_range: number;
  readonly seed: number;
  readonly engine: "trainer" | "portable";
  readonly draws: number;
}

/**
 * Draw initial states, one after another; at most two are in memory.
 * @param stateBytes bytes of one state.
 * @returns the bytes of each; the array is reused for the next.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` with the last output of an interpreter that fails; `ABORTED`.
 */
export async function* drawStates(interpreter: string, request: StatesRequest, stateBytes: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const subprocess = execa(interpreter, [join(packageRoot, "python", "bh_bridge", "scripts", "draw_states.py"), JSON.stringify(request)], {
    reject: false,
    stdin: "ignore",
    buffer: { stdout: false },
    encoding: "buffer",
    env: pythonVariables(),
    ...(signal && { cancelSignal: signal }),
  });
  const state = new Uint8Array(stateBytes);
  let filled = 0;
  let drawn = 0;
  try {
    for await (const piece of subprocess.iterable({ from: "stdout", binary: true })) {
      for (let at = 0; at < piece.length; ) {
        const taken = Math.min(piece.length - at, stateBytes - filled);
        state.set(piece.subarray(at, at + taken), filled);
        at += taken;
        filled += taken;
        if (filled < stateBytes) continue;
        filled = 0;
        drawn++;
        yield state;
      }
    }
  } finally {
    if (drawn < request.draws) subprocess.kill("SIGKILL"); // the reader has stopped
  }
  const result = await subprocess;
  if (drawn === request.draws) return;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", "the simulation was stopped", { cause: result });
  const output = lastLines(Buffer.from(result.stderr).toString("utf8"), quotedLines).join(" / ");
  const message = `${interpreter} drew ${drawn} of ${request.draws} states and ended. It printed: ${output || "nothing"}`;
  throw new BhBridgeError("PYTHON_NOT_FOUND", message, { cause: result });
}

const readModel = "scripts/read_model.py";

/** A saved model's directory, its family, and the fields to report (null: those that transformers saves). */
export interface SavedConfigRequest {
  readonly directory: string;
  readonly type: string;
  readonly fields: readonly string[] | null;
}

const savedConfigSchema = z.object({ fields: z.record(z.string(), z.json()), dtype: z.string().nullish() });

/** The configuration of a saved model as transformers reads it. */
export type SavedConfig = z.output<typeof savedConfigSchema>;

/** Let transformers read the `config.json` of a saved model; about 3 s. @throws {BhBridgeError} `FORMAT_UNSUPPORTED` with its message; as `probePython`. */
export async function readSavedConfig(interpreter: string, request: SavedConfigRequest): Promise<SavedConfig> {
  const answer = await runPythonScript(interpreter, { file: readModel, args: [JSON.stringify({ do: "config", ...request })], timeoutMs: importTimeoutMs });
  const { success, data } = problemSchema.safeParse(answer);
  if (!success) return savedConfigSchema.parse(answer);
  throw new BhBridgeError("FORMAT_UNSUPPORTED", `transformers cannot read the config.json of ${request.directory}: ${data.problem}`);
}

/** A model of the user's own, by its file of code. */
export interface OwnModelRequest {
  readonly path: string;
  readonly class: string;
  readonly fields: unknown;
  readonly embedding: unknown;
}

/** Execute the code of a model and count the rows of its embedding; about 5 s. @throws {BhBridgeError} `CONFIG_INVALID`; as `probePython`. */
export async function readOwnVocabulary(interpreter: string, request: OwnModelRequest): Promise<number> {
  const answer = await runPythonScript(interpreter, { file: readModel, args: [JSON.stringify({ do: "vocabulary", ...request })], timeoutMs: importTimeoutMs });
  const { success, data } = problemSchema.safeParse(answer);
  if (!success) return z.object({ vocab_size: z.int() }).parse(answer).vocab_size;
  const [path = "", ...message] = data.problem.split(": ");
  throw configInvalid([{ path, message: message.join(": ") }]);
}

/** Files for transformers that only Python writes. */
interface HfStateRequest {
  /** Checkpoint of a run whose training state is converted for HF's Trainer; null for none. */
  readonly checkpoint: string | null;
  /** Tokenizer of a run that is saved for AutoTokenizer; null for none. */
  readonly tokenizer: string | null;
  /** Existing directory to write into. */
  readonly out: string;
}

/** Write the training state of a checkpoint and a tokenizer as transformers does; about 3 s. @throws {BhBridgeError} `CONFIG_INVALID`; as `probePython`. */
export async function writeHfState(interpreter: string, request: HfStateRequest): Promise<void> {
  const answer = await runPythonScript(interpreter, { file: "scripts/write_hf_state.py", args: [JSON.stringify(request)], timeoutMs: importTimeoutMs });
  const { success, data } = problemSchema.safeParse(answer);
  if (success) throw new BhBridgeError("RUN_CORRUPT", data.problem);
}
