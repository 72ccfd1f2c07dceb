import { expect, test } from "vitest";
import { generateOptionsSchema } from "../../../src/protocol/generate-options.js";
import { expectedFrom } from "../formats/reference-python.js";

test("each option is transformers' own", () => {
  const theirs = expectedFrom<string[]>("import json; from transformers import GenerationConfig; print(json.dumps(list(vars(GenerationConfig()))))");
  expect(Object.keys(generateOptionsSchema.shape).filter((name) => !theirs.includes(name))).toEqual([]);
});

test.each([{ max_new_tokens: 0 }, { temperature: 0 }, { top_k: -1 }, { top_p: 1.1 }, { do_sample: 1 }, { stop_strings: ["x"] }])("%j is refused", (options) => {
  expect(generateOptionsSchema.safeParse(options).success).toBe(false);
});
