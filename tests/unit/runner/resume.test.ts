import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { openResumable, resume, resumedModel } from "../../../src/runner/resume.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { deadRows, writeRun } from "../serve/written-run.js";

const newRun = (status: "running" | "completed" | "stopped", id = "run") => writeRun({ folder: temporaryDirectory(), id, status });

test("a run that is complete has nothing left to compute, unless more steps are asked for", async () => {
  const run = newRun("completed");
  expect(await openResumable(run)).toMatchObject({ directory: run, isComplete: true, resolved: { preset: "quick" } });
  expect((await openResumable(newRun("stopped"))).isComplete).toBe(false);
  expect((await openResumable(newRun("running"))).isComplete).toBe(false); // nobody trains it
});

test("it goes on with its own configuration, and says what of it is not as in the preset", async () => {
  const { resolved } = await openResumable(newRun("stopped"));
  expect(resolved.config.training.max_steps).toBe(60);
  expect(resolved.changes.find(({ path }) => path === "training.max_steps")).toMatchObject({ after: 60, source: "the run" });
});

test("a text that has moved is looked for where it lies now", async () => {
  const { resolved } = await openResumable(newRun("stopped"), { corpus: "elsewhere.txt" });
  expect(resolved.config.data.corpus).toBe(join(process.cwd(), "elsewhere.txt"));
});

test("more steps than the schedule has, and none at all, are refused before Python starts", async () => {
  await expect(openResumable(newRun("stopped"), { steps: 0 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  await expect(openResumable(newRun("stopped"), { steps: 600 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});

test("a complete run is summed up without Python, with its analysis", async () => {
  const run = newRun("completed");
  const { outcome, result } = await resume(run);
  expect(outcome).toMatchObject({ status: "completed", steps: { planned: 60, done: 60 }, run });
  expect(result.census.P).toBe(deadRows.length);
});

test("what is no run, and what is damaged, is told", async () => {
  await expect(openResumable("/nowhere")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  const run = newRun("stopped");
  writeFileSync(join(run, "config.json"), "{");
  await expect(openResumable(run)).rejects.toMatchObject({ code: "RUN_CORRUPT" });
});

const directory = temporaryDirectory();
const there = join(directory, "weights.pt");
writeFileSync(there, "");
const gone = join(directory, "gone.pt");
const own = parseRunConfig({ seed: 7 });

/** A run with checkpoints of these contents; their manifests say "whole". */
function runWith(...contents: string[]): string {
  const run = temporaryDirectory();
  for (const [index, content] of contents.entries()) {
    const checkpoint = join(run, "checkpoints", `step-00000${index}`);
    mkdirSync(checkpoint, { recursive: true });
    writeFileSync(join(checkpoint, "a"), content);
    const file = { size: 5, sha256: createHash("sha256").update("whole").digest("hex") };
    writeFileSync(join(checkpoint, "MANIFEST.json"), JSON.stringify({ format: 1, files: { a: file } }));
  }
  return run;
}

test("a run whose files are there, or that needs none, begins as it did", () => {
  expect(resumedModel(runWith(), own)).toEqual({ model: own.model, init: own.init, seed: 7, seeds: own.seeds, engine: own.engine });
  const from = { ...own, model: { ...own.model, from: there } };
  expect(resumedModel(runWith(), from)).toEqual({ model: from.model, init: own.init, seed: 7, seeds: own.seeds, engine: own.engine });
});

test("where they are gone, a whole checkpoint makes up for them: the model is built anew", () => {
  const from = { ...own, model: { ...own.model, from: gone } };
  expect(resumedModel(runWith("damag", "whole"), from)).toEqual({ model: { ...own.model, from: null }, init: { kind: "normal" }, seed: 7, seeds: own.seeds });
  const init = { kind: "file", path: gone } as const;
  expect(resumedModel(runWith("whole"), { ...own, init })).toEqual({ model: own.model, init: { kind: "normal" }, seed: 7, seeds: own.seeds });
});

test("without one, what is gone is named", () => {
  const lost = { ...own, model: { ...own.model, from: gone }, init: { kind: "file", path: `${gone}2` } as const };
  for (const run of [runWith(), runWith("damag")]) {
    const message = `${run} started from ${gone} and ${gone}2, which is missing, and has no valid checkpoint to resume from without it`;
    expect(() => resumedModel(run, lost)).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND", message }));
  }
});
