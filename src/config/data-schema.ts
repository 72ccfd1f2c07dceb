import { z } from "zod";

export const tokenizerKinds = ["char-bpe", "byte-bpe"] as const;
export type TokenizerKind = (typeof tokenizerKinds)[number];

/** Default field of the text of a document. */
export const defaultField = "text";

const corpusFileSchema = z.strictObject({
  path: z.string().min(1).describe("Text file, folder, glob or token array. A relative path in a config file starts at that file."),
  weight: z.number().positive().default(1).describe("Share of the training windows, relative to the sum of all weights."),
});

/** The training text, its tokens and its training windows. */
export const dataSchema = z.strictObject({
  corpus: z
    .union([z.string().min(1), z.array(corpusFileSchema).min(1)])
    .nullable()
    .default(null)
    .describe(
      "Text in ASCII, or in UTF-8 if model.vocab_size is at least 256; null uses the built-in corpus (The Man Who Was Thursday, 320,525 bytes). A text file, also as .gz or .zst; .jsonl or .parquet with documents in `field`; a folder or glob of such files; a folder of `datasets.save_to_disk`; or token ids, as .npy or as nanoGPT's train.bin. Or a list of these with weights; no training window spans two of the list. A relative path in a config file starts at that file.",
    ),
  field: z.string().min(1).default(defaultField).describe("Field of .jsonl, .parquet and saved datasets that holds the text of a document."),
  documents: z
    .enum(["pack", "separate"])
    .default("pack")
    .describe(
      "`pack` joins the documents of a text by the tokenizer's end-of-text token, or by a blank line if there is none; `separate` joins nothing, and no training window spans two documents.",
    ),
  tokenizer: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "A tokenizer.json of Hugging Face's tokenizers, or a directory with a tokenizer that transformers can open, for a corpus in UTF-8; null uses bytes as tokens. The default with `model.from` is the saved model's own tokenizer, if it has one. A relative path in a config file starts at that file.",
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
