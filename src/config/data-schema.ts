import { z } from "zod";

export const tokenizerKinds = ["char-bpe", "byte-bpe"] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

/** One of several text files. */
const corpusFileSchema = z.strictObject({
  path: z.string().min(1).describe("A text file. A relative path in a config file starts at that file."),
  weight: z.number().positive().default(1).describe("Its share of the training windows: its weight of the sum of all weights."),
});

/** The text that is trained on. A token is a byte below `model.vocab_size`; a window is as many tokens as the model has positions, and their labels. */
export const dataSchema = z.strictObject({
  corpus: z
    .union([z.string().min(1), z.array(corpusFileSchema).min(1)])
    .nullable()
    .default(null)
    .describe(
      "A text file, ASCII, or UTF-8 where model.vocab_size is at least 256; null is the built-in corpus (The Man Who Was Thursday, 320,525 bytes). Or a list of files, each with its weight, of which no window crosses a border. A relative path in a config file starts at that file.",
    ),
  tokenizer: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A tokenizer.json of Hugging Face's tokenizers, whose tokens the corpus is made of; null takes bytes. The corpus is UTF-8 then. A relative path in a config file starts at that file.",
    ),
  train_tokenizer: z
    .enum(tokenizerKinds)
    .nullable()
    .default(null)
    .describe(
      "Where `tokenizer` is null, the kind of one that is trained on the corpus before the run, of at most `model.vocab_size` tokens, as `bh-bridge tokenizer train` does; the run keeps it. null takes bytes.",
    ),
  windows: z
    .enum(["sliding", "chunks"])
    .default("sliding")
    .describe(
      "`sliding` takes a training window at every token, as the notebook did; `chunks` takes them side by side, and leaves out the last tokens that do not fill one.",
    ),
  label_shift: z
    .enum(["double", "causal"])
    .default("double")
    .describe(
      "`double` shifts labels in the data set and again in the model, as the notebook did, so that position t learns token t+2; `causal` learns t+1. With `model.from`, and with a `model.type` that is neither `gpt2` nor the preset's, the default is `causal`.",
    ),
  window_length: z.int().min(2).nullable().default(null).describe("Tokens of a training window; null takes as many as the model has positions."),
  held_out: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe("Fraction of the corpus, taken from its end, that is kept for evaluation and never trained on. 0 trains on everything."),
});

/** Whether tokens are a tokenizer's, one that is named or one that is trained, and not bytes. */
export function hasTokenizer({ data }: { data: Pick<z.output<typeof dataSchema>, "tokenizer" | "train_tokenizer"> }): boolean {
  return data.tokenizer !== null || data.train_tokenizer !== null;
}
