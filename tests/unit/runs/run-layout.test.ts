import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesIn, isHistoryFile, isRunDirectory, isRunFile, requestStop, runCheckpoints, runFiles } from "../../../src/runs/run-layout.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();

test.each([
  ["run.json", true],
  ["history.safetensors", true],
  ["history.transformer.wte.grad.idx", true],
  ["final/model.safetensors", true],
  ["checkpoints/step-000500/MANIFEST.json", true],
  ["checkpoints/step-000500/deeper/file", false],
  ["checkpoints/best/model.safetensors", false],
  ["history.npy", false],
  ["final", false],
  ["my-notes.txt", false],
])("%s belongs to a run: %s", (path, belongs) => {
  expect(isRunFile(path)).toBe(belongs);
});

test("the documentation of a run's directory names each of its files", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/run-directory.md"), "utf8");
  for (const name of Object.values(runFiles)) expect(text).toContain(`\`${name}\``);
});

test("a directory of files is told from a run, and the checkpoints of a run are in order of their steps", () => {
  const run = join(directory, "run");
  for (const folder of ["step-1000", "step-000500", "step-x", ".step-000700.partial"]) mkdirSync(join(run, "checkpoints", folder), { recursive: true });
  writeFileSync(join(run, "config.json"), "{}"); // as a saved model has one
  expect(isRunDirectory(run)).toBe(false);
  writeFileSync(join(run, "history.safetensors"), "");
  expect(isRunDirectory(run)).toBe(true);
  expect(runCheckpoints(run).map(({ step }) => step)).toEqual([500, 1000]);
  expect(filesIn(run).filter(isHistoryFile)).toEqual(["history.safetensors"]);
});

test("the request is a file in the run, and one that is there already is enough", () => {
  const directory = temporaryDirectory();
  requestStop(directory);
  expect(readFileSync(join(directory, "stop.request"), "utf8")).toBe("");
  writeFileSync(join(directory, "stop.request"), "the first one's");
  requestStop(directory);
  expect(readFileSync(join(directory, "stop.request"), "utf8")).toBe("the first one's");
});

test("a run that cannot be written to cannot be asked", () => {
  expect(() => requestStop(join(temporaryDirectory(), "gone"))).toThrow(
    expect.objectContaining({ code: "FILE_UNWRITABLE", message: expect.stringContaining("stop.request") }),
  );
});
