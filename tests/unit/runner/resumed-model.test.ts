import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRunConfig } from "../../../src/config/parse-run-config.js";
import { resumedModel } from "../../../src/runner/resumed-model.js";
import { temporaryDirectory } from "../formats/reference-python.js";

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
  expect(resumedModel(runWith(), own)).toEqual({ model: own.model, init: own.init, seed: 7, seeds: own.seeds });
  const from = { ...own, model: { ...own.model, from: there } };
  expect(resumedModel(runWith(), from)).toEqual({ model: from.model, init: own.init, seed: 7, seeds: own.seeds });
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
    const message = `${run} began with ${gone} and ${gone}2, which is gone, and has no whole checkpoint to go on from without it`;
    expect(() => resumedModel(run, lost)).toThrow(expect.objectContaining({ code: "FILE_NOT_FOUND", message }));
  }
});
