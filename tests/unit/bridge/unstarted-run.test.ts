import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { ResumePlan } from "../../../src/bridge/resume-plan.js";
import { RunRecord } from "../../../src/bridge/run-record.js";
import { UnstartedRun } from "../../../src/bridge/unstarted-run.js";
import { readRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

function record(): RunRecord {
  const directory = writeRun({ folder: temporaryDirectory(), id: "run", steps: 1 });
  return RunRecord.reopen({ directory, manifest: readRunManifest(directory) } as ResumePlan);
}

/** Never settles: Python lives on. */
const alive = new Promise(() => undefined);

test("its directory goes when its trainer lets it go, and that is said, also when it is asked again", () => {
  const run = record();
  const unstarted = new UnstartedRun(run, alive);
  expect([unstarted.discard(), unstarted.discard()]).toEqual([true, true]);
  expect(existsSync(run.directory)).toBe(false);
});

test("it goes when Python ends", async () => {
  const run = record();
  const unstarted = new UnstartedRun(run, Promise.resolve());
  await expect.poll(() => existsSync(run.directory)).toBe(false);
  expect(unstarted.discard()).toBe(true);
});

test("once its training has begun it stays, whatever ends", async () => {
  const run = record();
  const python = new AbortController();
  const unstarted = new UnstartedRun(run, once(python.signal, "abort"));
  unstarted.begin();
  python.abort();
  await new Promise(setImmediate);
  expect(unstarted.discard()).toBe(false);
  expect(existsSync(run.directory)).toBe(true);
});
