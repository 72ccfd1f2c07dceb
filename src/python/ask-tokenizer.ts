import { z } from "zod";
import { configInvalid } from "../config/config-invalid.js";
import type { TokenizerKind } from "../config/data-schema.js";
import { BhBridgeError } from "../errors.js";
import { runPythonScript } from "./run-python-script.js";

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
 *
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
