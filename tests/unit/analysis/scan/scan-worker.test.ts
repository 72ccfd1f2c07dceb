import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { analysisSettings } from "../../../../src/analysis/scan/observation.js";
import { runInWorker } from "../../../../src/analysis/scan/run-in-parts.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const directory = temporaryDirectory();
const path = join(directory, "states");
writeFileSync(path, Uint8Array.of(1, 2));
const request = { dtype: "U8" as const, tokens: 1, dims: 1, first: 0, end: 2, settings: analysisSettings({}), kernels: "plain" as const };

/** A module with this source. */
function moduleOf(name: string, source: string): string {
  const file = join(directory, name);
  writeFileSync(file, source);
  return pathToFileURL(file).href;
}

const answer = (module: string) => runInWorker({ kind: "scan", path, offset: 0, request, modules: [module] }, () => undefined).result;

test("an observation of anybody's sees every state and ends with what it says", async () => {
  const module = moduleOf(
    "sums.mjs",
    "export const observation = { observe: () => { let sum = 0; return { state: (_, values) => { sum += values[0]; }, end: () => sum }; }, merge: (a, b) => a + b };",
  );
  expect((await answer(module)).observed).toEqual([3]);
});

test("a module that does not export its observation is refused with what to do", async () => {
  const module = moduleOf("other.mjs", "export const observer = {};");
  await expect(answer(module)).rejects.toMatchObject({
    code: "USAGE",
    message: `${module} does not export "observation": field "module" of an observation must be the URL of a module that exports it by this name`,
  });
});

test("what an observation throws is told as it was thrown", async () => {
  const module = moduleOf("failing.mjs", 'export const observation = { observe: () => { throw new Error("no room for a state"); } };');
  await expect(answer(module)).rejects.toMatchObject({ code: "INTERNAL", message: "no room for a state" });
});
