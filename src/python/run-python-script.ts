import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { configInvalid } from "../config/config-invalid.js";
import type { TokenizerKind } from "../config/data-schema.js";
import { BhBridgeError } from "../errors.js";
import { lastLines } from "./failures.js";
import { packageRoot } from "./package-manifest.js";
import { pythonVariables, suspectVariables } from "./python-variables.js";

interface PythonScript {
  /** Path of a script under `python/bh_bridge`. */
  file: string;
  args?: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** So many last lines of what a script said go into an error: the exception and where it was raised. */
const quotedLines = 5;

/**
 * Run a script of ours with an interpreter that may be anything, and read the JSON object that it prints in one line after the marker that it is given.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the path cannot be run, prints no such line or does not end in time; `ABORTED` by the signal, and by Ctrl-C.
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
    // A wrapper's own child can outlive it and hold the pipes open: once the wrapper is killed, nothing more is waited for.
    if (killedBy === "SIGKILL") for (const stream of [subprocess.stdout, subprocess.stderr]) stream.destroy();
  });
  const result = await subprocess;
  const line = result.stdout.split(/\r?\n/).find((each) => each.startsWith(`${marker}{`));
  if (line !== undefined) return JSON.parse(line.slice(marker.length));

  const { exitCode = null, signal: killedBy = null } = result;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", `asking ${interpreter} was cancelled`, { cause: result });
  const said = lastLines(`${result.stdout}\n${result.stderr}`, quotedLines);
  let reason = `is not a working Python: it ended with ${killedBy ?? `exit code ${exitCode}`} and said: ${said.join(" / ") || "nothing"}`;
  if (result.timedOut) reason = `did not answer within ${timeoutMs / 1000} s, so it is not a usable Python`;
  else if (exitCode === null && killedBy === null) reason = `cannot be run: ${result.failed ? result.originalMessage : "it did not start"}`;
  throw new BhBridgeError(
    "PYTHON_NOT_FOUND",
    `${interpreter} ${reason}. Name another interpreter with python (--python on the command line)${suspectVariables()}`,
    {
      cause: result,
      exit: { exitCode, signal: killedBy, lastLines: said },
    },
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
});
const unusableSchema = z.object({ unusable: z.string() });
const problemSchema = z.object({ problem: z.string() });

/** A gigabyte of text takes minutes. */
const timeoutMs = 3_600_000;

/** A tokenizer by how it is trained. */
export interface TrainedTokenizer {
  kind: TokenizerKind;
  /** Tokens that it has at most. */
  vocab: number;
  /** Paths of the texts that it is trained on, each as a whole. */
  corpora: readonly string[];
}

interface Training extends TrainedTokenizer {
  out: string;
}

/** Train a tokenizer in Python and write it; tokens that it has. @throws {BhBridgeError} `CORPUS_INVALID` with what the library says, `ABORTED`. */
export async function trainTokenizer(python: string, request: Training, signal?: AbortSignal): Promise<{ vocabulary: number }> {
  return trainedSchema.parse(await ask(python, { do: "train", ...request }, request.corpora.join(", "), signal));
}

/** What a tokenizer makes of a corpus. */
export type TokenCounts = z.output<typeof countedSchema>;

/**
 * Count the tokens of a corpus in Python.
 * @param tokenizer path of one, or how one is trained, unless it has been before.
 * @throws {BhBridgeError} `CORPUS_INVALID` with what the library says, `CONFIG_INVALID` for a file that is no tokenizer, `ABORTED`.
 */
export async function countTokens(python: string, corpus: string, tokenizer: string | TrainedTokenizer, signal?: AbortSignal): Promise<TokenCounts> {
  const answer = await ask(python, { do: "count", corpus, tokenizer }, corpus, signal);
  const { success, data } = unusableSchema.safeParse(answer);
  if (success) {
    const name = typeof tokenizer === "string" ? tokenizer : "what was kept of an earlier training";
    const message = `${name} is no tokenizer.json of Hugging Face's tokenizers: ${data.unusable}. Make one with "bh-bridge tokenizer train"`;
    throw configInvalid([{ path: "data.tokenizer", message }]);
  }
  return countedSchema.parse(answer);
}

async function ask(python: string, request: object, corpus: string, signal: AbortSignal | undefined): Promise<unknown> {
  const answer = await runPythonScript(python, { file: "data/tokenizing.py", args: [JSON.stringify(request)], timeoutMs, signal });
  const { success, data } = problemSchema.safeParse(answer);
  if (success) throw new BhBridgeError("CORPUS_INVALID", `the tokens of ${corpus} cannot be made: ${data.problem}`);
  return answer;
}

const answerSchema = z.object({
  environment: z.object({
    cpu_capability: z.string(),
    threads: z.int(),
    devices: z.object({ cuda: z.array(z.string()), mps: z.boolean() }),
  }),
  training_arguments: z.array(z.string()),
  gpt2_config: z.array(z.string()),
});

/** What torch and transformers say once they are imported: devices, threads, and the names of the fields of `TrainingArguments` and `GPT2Config`. */
export type TorchAnswer = z.infer<typeof answerSchema>;

/** The imports take 2 s, from a cold network disk a minute; this stops one that hangs, as with a broken GPU driver. */
const importTimeoutMs = 180_000;

/** Import torch and transformers in an interpreter and ask what they find; about 2 s. Throws as `probePython` does. */
export async function askTorch(path: string, signal?: AbortSignal): Promise<TorchAnswer> {
  return answerSchema.parse(await runPythonScript(path, { file: "scripts/doctor.py", timeoutMs: importTimeoutMs, signal }));
}

/** What `python/bh_bridge/scripts/draw_states.py` is asked. */
export interface StatesRequest {
  readonly init: object;
  readonly dtype: string;
  readonly vocab: number;
  readonly dim: number;
  readonly initializer_range: number;
  readonly seed: number;
  readonly draws: number;
}

const quotedErrorLines = 5;

/**
 * Draw initial states with torch, one after the other; no more than two are in memory.
 * @param stateBytes of one state.
 * @returns the bytes of each; the array is used again for the next.
 * @throws {BhBridgeError} `PYTHON_NOT_FOUND` when the interpreter cannot do it, with its last words; `ABORTED`.
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
    if (drawn < request.draws) subprocess.kill("SIGKILL"); // nobody listens any more
  }
  const result = await subprocess;
  if (drawn === request.draws) return;
  if (result.isCanceled || result.signal === "SIGINT") throw new BhBridgeError("ABORTED", "the simulation was stopped", { cause: result });
  const said = lastLines(Buffer.from(result.stderr).toString("utf8"), quotedErrorLines).join(" / ");
  throw new BhBridgeError("PYTHON_NOT_FOUND", `${interpreter} drew ${drawn} of ${request.draws} states and ended. It said: ${said || "nothing"}`, {
    cause: result,
  });
}
