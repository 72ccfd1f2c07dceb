import { expect, test } from "vitest";
import { defaultSettings } from "../../../src/analysis/analysis-settings.js";
import { latticeFor, measurableStates } from "../../../src/analysis/needs.js";
import { memoryHistory } from "./memory-source.js";

const none = new Uint8Array(0);

test("only bfloat16 has a lattice", () => {
  expect(latticeFor().unmet(memoryHistory("BF16", [1, 1, 1], none), defaultSettings)).toBeUndefined();
  expect(latticeFor().unmet(memoryHistory("F16", [1, 1, 1], none), defaultSettings)).toBe("only bfloat16 has a lattice, and this history is F16");
  expect(latticeFor(["nearest"]).fields).toEqual(["nearest"]);
  expect(latticeFor()).not.toHaveProperty("fields");
});

test("states of up to 16,777,216 numbers are measured", () => {
  expect(measurableStates.unmet(memoryHistory("U8", [1, 4096, 4096], none), defaultSettings)).toBeUndefined();
  expect(measurableStates.unmet(memoryHistory("U8", [1, 4096, 4097], none), defaultSettings)).toBe("a state has 16,781,312 numbers, more than 16,777,216");
});
