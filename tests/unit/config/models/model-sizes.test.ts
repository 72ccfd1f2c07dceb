import { expect, test } from "vitest";
import { modelInWords, modelSize, windowLength } from "../../../../src/config/models/model-sizes.js";
import { parseRunConfig } from "../../../../src/config/parse-run-config.js";

test("sizes go by the names that a family gives them", () => {
  const sizes = (model: Parameters<typeof parseRunConfig>[0]) => {
    const config = parseRunConfig({ model, data: { window_length: 8 } });
    return [modelSize(config.model, "width"), modelSize(config.model, "layers"), modelSize(config.model, "positions")];
  };
  expect(sizes({ n_embd: 32, n_layer: 3, n_positions: 16 })).toEqual([32, 3, 16]);
  expect(sizes({ type: "llama", hidden_size: 32, num_hidden_layers: 3, max_position_embeddings: 16 })).toEqual([32, 3, 16]);
  expect(sizes({ type: "mamba", hidden_size: 32 })).toEqual([32, undefined, undefined]);
});

test("a window is as long as the model has positions, or as it is set", () => {
  expect(windowLength(parseRunConfig({ model: { type: "qwen3" } }))).toBe(128);
  expect(windowLength(parseRunConfig({ data: { window_length: 9 } }))).toBe(9);
});

test("a model in words", () => {
  const words = (model: object) => modelInWords(parseRunConfig({ model }).model);
  expect([words({}), words({ norm: "native" }), words({ type: "qwen3" }), words({ type: "llama", norm: "layernorm" })]).toEqual([
    "GPT-2 with RMSNorm",
    "GPT-2 with LayerNorm",
    "Qwen3",
    "Llama with LayerNorm",
  ]);
});
