import { totalmem } from "node:os";
import { expect, test } from "vitest";
import { corpusMemory, installedMemory, requireCorpusMemory, requireMemory, weightCount } from "../../../src/bridge/require-memory.js";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";

const model = (fields: object) => parseRunConfig({ model: fields }).model;

test.each([
  ["GPT-2", { vocab_size: 50_257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12, tie_word_embeddings: true }, 124_439_808],
  ["GPT-2 XL", { vocab_size: 50_257, n_positions: 1024, n_embd: 1600, n_layer: 48, n_head: 25, tie_word_embeddings: true }, 1_557_611_200],
  // 8 × 4 + 2 × 4 of embeddings, 8 × 4 of a head; a block of 80 + 36 (4 → 3 → 4 with biases: 12 + 3 + 12 + 4 = 31) + 16, and a last norm of 8.
  ["a model of its own", { vocab_size: 8, n_positions: 2, n_embd: 4, n_layer: 1, n_head: 1, n_inner: 3, tie_word_embeddings: false }, 72 + 80 + 31 + 16 + 8],
])("%s has the weights that are published, or counted by hand", (_, fields, weights) => {
  expect(weightCount(model(fields))).toBe(weights);
});

test("a model whose weights fit to the byte is accepted, and one byte less is refused with both numbers", () => {
  const sizes = model({ vocab_size: 50_257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12, tie_word_embeddings: true });
  expect(() => requireMemory(sizes, 4 * 124_439_808)).not.toThrow();
  expect(() => requireMemory(sizes, 4 * 124_439_808 - 1)).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(
        /497,759,232 bytes and this machine has 497,759,231: make it smaller \(model\.vocab_size = 50257, n_positions = 1024, n_embd = 768, n_layer = 12/,
      ),
      issues: [expect.objectContaining({ path: "model" })],
    }),
  );
});

const text = { path: "/text.txt", tokens: 1_000, windows: 900 };
const tokenizer = { path: "/t.json", sha256: "", vocabulary: 300, unreachable: [] };

test.each([
  ["bytes that are shuffled", text, {}, 1_000 + 4 * 900],
  ["bytes in the order of the text", text, { training: { train_sampling_strategy: "sequential" } }, 1_000],
  ["tokens of a small vocabulary", { ...text, tokenizer }, { model: { vocab_size: 65_536 } }, 2_000 + 4 * 900],
  ["tokens of a large vocabulary", { ...text, tokenizer }, { model: { vocab_size: 65_537 } }, 4_000 + 4 * 900],
  ["windows that take wide numbers", { ...text, windows: 2 ** 31 }, {}, 1_000 + 8 * 2 ** 31],
])("a corpus of %s takes what is counted by hand", (_, corpus, input, bytes) => {
  const config = parseRunConfig(input);
  expect(corpusMemory(corpus, config)).toBe(bytes);
  expect(() => requireCorpusMemory(corpus, config, bytes)).not.toThrow();
  expect(() => requireCorpusMemory(corpus, config, bytes - 1)).toThrow(
    expect.objectContaining({
      code: "CONFIG_INVALID",
      issues: [expect.objectContaining({ path: "data.corpus" })],
      message: expect.stringContaining("/text.txt needs about"),
    }),
  );
});

test("the memory of a machine is not more than it has", () => {
  expect(installedMemory()).toBeGreaterThan(0);
  expect(installedMemory()).toBeLessThanOrEqual(totalmem());
});
