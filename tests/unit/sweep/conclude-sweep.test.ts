import { expect, test } from "vitest";
import { concludeSweep } from "../../../src/sweep/conclude-sweep.js";
import { sweepDocumentSchema } from "../../../src/sweep/sweep-document.js";
import { sweepTrial } from "./sweep-trial.js";

test("a sweep ends in its document, and in a page for people", async () => {
  const trials = [sweepTrial({ seed: 1 }, 2), sweepTrial({ seed: 2 }, null, { status: "planned", run: null, result: null })];
  const { document, summary } = await concludeSweep({ name: "sigma" })({ directory: "/sweeps/x", trials } as Parameters<ReturnType<typeof concludeSweep>>[0]);
  expect(sweepDocumentSchema.parse(document)).toMatchObject({ name: "sigma", directory: "/sweeps/x", trials, counts: { completed: 1, planned: 1, failed: 0 } });
  expect(summary).toMatch(/^# Sweep sigma\n\n2 trials: 1 planned, 1 completed\./);
});
