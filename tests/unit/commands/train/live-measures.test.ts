import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LiveMeasures } from "../../../../src/commands/train/training-display.js";
import { resolveRunConfig } from "../../../../src/config/resolve-run-config.js";
import type { RowSource } from "../../../../src/formats/matrix.js";
import { writeSafetensors } from "../../../../src/formats/safetensors/safetensors.js";
import { runConfigText } from "../../../../src/runs/run-config.js";
import { historyFile } from "../../../../src/runs/run-layout.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();
mkdirSync(join(directory, "history"), { recursive: true });
writeFileSync(join(directory, "config.json"), runConfigText((await resolveRunConfig({ input: {} })).config, directory));

test("before anything is recorded the loss stands alone, and a course begins with the second value", () => {
  const measures = new LiveMeasures(directory);
  measures.take(1, 4.5);
  expect(measures.line(60)).toBe("loss 4.5000");
  measures.take(2, 2.25);
  expect(measures.line(60)).toBe("loss █▁ 2.2500");
});

test("C and P are those of the state after the step", () => {
  // Two states of four rows: all equal, then two pairs.
  const states = new Uint8Array(new Float32Array([1, 1, 1, 1, 1, 1, 2, 2]).buffer);
  const rows: RowSource = {
    source: "test",
    dtype: "F32",
    rows: 8,
    columns: 1,
    read: (first, count, target) => target.set(states.subarray(4 * first, 4 * (first + count))),
  };
  writeSafetensors(join(directory, historyFile), [{ name: "embedding_history", shape: [2, 4, 1], rows }]);
  const measures = new LiveMeasures(directory);
  measures.take(1, 3);
  expect(measures.line(60)).toBe("loss 3.0000   C 2   P 4");
});

test.each([40, 59, 99])("a long course fits %i columns", (columns) => {
  const measures = new LiveMeasures(directory);
  for (let value = 0; value < 500; value++) measures.take(1, 500 - value);
  expect(measures.line(columns).length).toBeLessThanOrEqual(columns);
  expect(measures.line(columns)).toMatch(/^loss █[▁▂▃▄▅▆▇█]+ 1\.0000 {3}C/);
});
