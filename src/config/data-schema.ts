import { z } from "zod";

export const tokenizerKinds = ["char-bpe", "byte-bpe"] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

const corpusFileSchema = z.strictObject({
  path: z.string().min(1).describe("Text file. A relative path in a config file starts at that file."),
  weight: z.number().positive().default(1).describe("Share of the training windows, relative to the sum of all weights."),
});

/** The training text, its tokens and its training windows. */
export const dataSchema = z.strictObject({
  corpus: z
    .union([z.string().min(1), z.array(corpusFileSchema).min(1)])
    .nullable()
    .default(null)
    .describe(
      "Text file in ASCII, or in UTF-8 if model.vocab_size is at least 256; null uses the built-in corpus (The Man Who Was Thursday, 320,525 bytes). Or a list of files with weights; no training window spans two files. A relative path in a config file starts at that file.",
    ),
  tokenizer: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A tokenizer.json of Hugging Face's tokenizers, for a corpus in UTF-8; null uses bytes as tokens. A relative path in a config file starts at that file.",
    ),
  train_tokenizer: z
    .enum(tokenizerKinds)
    .nullable()
    .default(null)
    .describe(
      "Kind of tokenizer to train on the corpus before the run if `tokenizer` is null, with at most `model.vocab_size` tokens, as `bh-bridge tokenizer train` does. The run stores it. null uses bytes as tokens.",
    ),
  windows: z
    .enum(["sliding", "chunks"])
    .default("sliding")
    .describe(
      "`sliding` starts a training window at every token, as the notebook did; `chunks` cuts the corpus into consecutive windows and drops an incomplete last one.",
    ),
  label_shift: z
    .enum(["double", "causal"])
    .default("double")
    .describe(
      "`double` shifts labels in the data set and again in the model, as the notebook did, so that position t learns token t+2; `causal` learns t+1. The default is `causal` with `model.from` and with a `model.type` that is neither `gpt2` nor the preset's.",
    ),
  window_length: z.int().min(2).nullable().default(null).describe("Tokens in a training window; null uses the model's number of positions."),
  held_out: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe("Fraction of the corpus, from its end, reserved for evaluation and never trained on; 0 trains on everything."),
});

/** Whether tokens come from a tokenizer, given or trained, rather than being bytes. */
export function hasTokenizer({ data }: { data: Pick<z.output<typeof dataSchema>, "tokenizer" | "train_tokenizer"> }): boolean {
  return data.tokenizer !== null || data.train_tokenizer !== null;
}
