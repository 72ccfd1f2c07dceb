import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRun } from "../../../src/runner/open-run.js";
import { checkpointBefore, pythonOf, requireOwnStart } from "../../../src/runner/train-again.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeModel } from "../runs/written-model.js";
import { writeRun } from "../serve/written-run.js";

const directory = writeRun({ folder: temporaryDirectory(), id: "a", steps: 4 });

test("a run whose model a program changed cannot be made from its configuration, and is told what was done", async () => {
  const run = await openRun(directory);
  expect(() => requireOwnStart(run)).not.toThrow();
  const changed = { ...run, manifest: { ...run.manifest, model_changes: ["set wte.weight", "moved it to cpu"] } };
  expect(() => requireOwnStart(changed)).toThrow(
    expect.objectContaining({
      code: "USAGE",
      message: `${directory} cannot be trained again from its configuration, because a program changed its model: set wte.weight; moved it to cpu`,
    }),
  );
});

test("steps are trained again from the newest whole checkpoint before them", () => {
  const checkpoint = (step: number) => join(directory, "checkpoints", `step-${String(step).padStart(6, "0")}`);
  expect(checkpointBefore(directory, 4)).toBeUndefined();
  for (const step of [1, 2, 3]) writeModel(checkpoint(step));
  expect([1, 2, 3, 4].map((step) => checkpointBefore(directory, step))).toEqual([undefined, checkpoint(1), checkpoint(2), checkpoint(3)]);
  writeFileSync(join(checkpoint(2), "model.safetensors"), "weightz");
  expect(checkpointBefore(directory, 3)).toBe(checkpoint(1));
});

test("the interpreter that is asked for comes before that of the configuration, and where neither is named one is looked for", async () => {
  const run = await openRun(directory);
  const configured = { ...run, config: { ...run.config, python: "/theirs" } };
  expect([pythonOf(run, undefined), pythonOf(configured, undefined), pythonOf(configured, "/mine")]).toEqual([{}, { config: "/theirs" }, { python: "/mine" }]);
});
