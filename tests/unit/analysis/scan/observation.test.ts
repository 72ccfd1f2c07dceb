import { expect, test } from "vitest";
import { analysisSettings } from "../../../../src/analysis/scan/observation.js";

test("what is not named, or named as undefined, is as by default", () => {
  expect(analysisSettings({ k: 0, maxNodes: undefined })).toEqual({ k: 0, maxTokens: 10_000, maxNodes: 10_000, spreadDims: 768 });
});
