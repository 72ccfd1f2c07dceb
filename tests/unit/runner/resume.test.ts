import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openResumable, resume } from "../../../src/runner/resume.js";
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
