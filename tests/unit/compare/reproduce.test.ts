import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deepenReproduction, planReproduction, reproduce, reproductionSchema } from "../../../src/compare/reproduce.js";
import { readRunManifest, writeRunManifest } from "../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";

const written = () => writeRun({ folder: temporaryDirectory(), id: "a", steps: 4 });

test("all recorded steps are trained again, or as many as are asked for", async () => {
  const directory = written();
  expect(await planReproduction(directory)).toMatchObject({ run: { directory }, until: 4, corpus: undefined });
  expect(await planReproduction(directory, { steps: 2, corpus: "text.txt" })).toMatchObject({ until: 2, corpus: "text.txt" });
});

test.each<[what: string, make: () => string, steps: number | undefined, code: string, message: RegExp]>([
  ["of more steps than there are", written, 5, "USAGE", /has recorded 4 steps, not 5/],
  ["of a run without a step", withoutSteps, undefined, "USAGE", /has recorded no step: there is nothing to compare with/],
  ["of a run whose model a program changed", changed, undefined, "USAGE", /cannot be trained again from its configuration/],
  ["of what is no run", () => join(temporaryDirectory(), "gone"), undefined, "RUN_NOT_FOUND", /gone/],
])("a reproduction %s is refused before anything starts", async (_, make, steps, code, message) => {
  await expect(planReproduction(make(), { steps })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test.each([{ steps: 0 }, { steps: 1.5 }, { stepz: 1 }])("%j is refused by name", async (options) => {
  await expect(reproduce(written(), options as object)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(Object.keys(options)[0] ?? ""),
  });
});

test("what came out the same is not looked into, and is a whole document", async () => {
  const plan = await planReproduction(written());
  const equal = { run: plan.run.directory, steps: 4, equal: true, first: null, loss: null, environment: [] };
  const python = () => Promise.reject(new Error("no Python is wanted"));
  const deep = await deepenReproduction(plan, equal, { python, signal: undefined, listen: () => ({}) });
  expect(deep).toBe(equal);
  expect(reproductionSchema.parse(JSON.parse(JSON.stringify(deep)))).toEqual(equal);
});

function changed(): string {
  const directory = written();
  writeRunManifest(directory, { ...readRunManifest(directory), model_changes: ["set wte.weight"] });
  return directory;
}

/** A run that ended before it recorded a state. */
function withoutSteps(): string {
  const directory = written();
  for (const name of ["history.safetensors", "history.idx"]) rmSync(join(directory, name));
  return directory;
}
