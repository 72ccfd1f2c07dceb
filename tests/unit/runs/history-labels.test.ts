import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RowSource } from "../../../src/formats/row-source.js";
import { historyLabels } from "../../../src/runs/history-labels.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun, writtenRows } from "../serve/written-run.js";

const source = (path: string): RowSource => ({ source: path, dtype: "BF16", rows: 1, columns: 1, raw: { path, offset: 0 }, read: () => undefined });
const steps = 3;

test("beside a run's history its index says the steps, and its configuration the tokens", async () => {
  const path = join(writeRun({ folder: temporaryDirectory(), id: "a", steps }), "history.safetensors");
  const { steps: told, rowTokens } = await historyLabels(source(path), writtenRows);
  expect([told ?? [0, 1, 2, 3], rowTokens.ofRow(5), rowTokens.vocabulary]).toEqual([[0, 1, 2, 3], 5, writtenRows]);
  expect(rowTokens.text?.(65)).toBe("A");
});

test("rows that are not as many as the configuration says are refused with both numbers", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps });
  writeFileSync(join(run, "config.json"), JSON.stringify({ record: { rows: [1, 5, 7] } }));
  const path = join(run, "history.safetensors");
  expect((await historyLabels(source(path), 3)).rowTokens.ids).toEqual([1, 5, 7]);
  await expect(historyLabels(source(path), 5)).rejects.toMatchObject({
    code: "FORMAT_INVALID",
    message: expect.stringContaining("its states have 5 rows, but config.json beside it says that 3 of its tokens were recorded"),
  });
});

test("elsewhere, and in memory, state i is step i and row i is token i", async () => {
  const folder = temporaryDirectory();
  const run = writeRun({ folder, id: "a", steps });
  cpSync(join(run, "history.safetensors"), join(folder, "history.safetensors.copy"));
  for (const at of [source(join(folder, "history.safetensors.copy")), { ...source("memory"), raw: undefined } as unknown as RowSource]) {
    const labels = await historyLabels(at, 5);
    expect(labels).not.toHaveProperty("steps");
    expect([labels.rowTokens.count, labels.rowTokens.ofRow(4)]).toEqual([5, 4]);
  }
});

test("a run without a configuration beside its history has a row for each token", async () => {
  const run = writeRun({ folder: temporaryDirectory(), id: "a", steps });
  rmSync(join(run, "config.json"));
  expect((await historyLabels(source(join(run, "history.safetensors")), 5)).rowTokens.count).toBe(5);
});
