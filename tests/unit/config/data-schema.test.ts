import { expect, test } from "vitest";
import { dataSchema } from "../../../src/config/data-schema.js";

test("nothing given is the built-in corpus, the notebook's labels, and all of it trained on", () => {
  const tokens = { corpus: null, field: "text", documents: "pack", tokenizer: null, train_tokenizer: null };
  expect(dataSchema.parse({})).toEqual({ ...tokens, windows: "sliding", label_shift: "double", window_length: null, held_out: 0 });
});

test.each([
  ["corpus", ""],
  ["train_tokenizer", "word-bpe"],
  ["windows", "jumping"],
  ["label_shift", "triple"],
  ["held_out", -0.1],
  ["held_out", 0.51],
  ["held_out", Number.NaN],
])("%s = %j is refused", (field, value) => {
  expect(dataSchema.safeParse({ [field]: value }).success).toBe(false);
});

test("half of the corpus may be held out", () => {
  expect(dataSchema.parse({ held_out: 0.5 }).held_out).toBe(0.5);
});
