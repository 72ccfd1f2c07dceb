import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { concludeRun } from "../../../src/runner/conclude-run.js";
import { summarizeRun } from "../../../src/runner/summarize-run.js";
import { readAnalysis } from "../../../src/runs/run-analysis.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, writeRun } from "../serve/written-run.js";

const newRun = () => writeRun({ folder: temporaryDirectory(), id: "run" });

test("a run gets its analysis and its checksums, and its result is what its files say", async () => {
  const run = newRun();
  const config = readRunConfig(run);
  const result = await concludeRun(run, config, { workers: 0 });
  expect(result).toEqual(await summarizeRun(run, config, readRunManifest(run)));
  const analysis = readAnalysis(run);
  expect([analysis?.states, analysis?.finalCensus.P]).toEqual([61, deadRows.length]);
  expect(existsSync(join(run, "SHA256SUMS"))).toBe(true);
});

test("an analysis that is interrupted leaves the run as it was, and can be made later", async () => {
  const run = newRun();
  const config = readRunConfig(run);
  await expect(concludeRun(run, config, { workers: 0, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  expect(readAnalysis(run)).toBeUndefined();
  expect((await concludeRun(run, config, { workers: 0 })).census.C).toBe(1);
});
