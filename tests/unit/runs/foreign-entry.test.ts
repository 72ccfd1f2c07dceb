import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { foreignEntry } from "../../../src/runs/foreign-entry.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const own = [
  "config.json",
  "run.json",
  "events.jsonl",
  "history.safetensors",
  "history.idx",
  "history.wte.grad.safetensors",
  "analysis.json",
  "SHA256SUMS",
  "history.npy",
  ".DS_Store",
  ".final.partial/anything",
  "final/config.json",
  "final/model-00001-of-00002.safetensors",
  "final/MANIFEST.json",
  "checkpoints/step-000020/optimizer.safetensors",
  "checkpoints/step-000020/model.safetensors",
  "checkpoints/.step-000040.partial/whatever",
];

function runWith(...paths: string[]): string {
  const directory = temporaryDirectory();
  for (const path of [...own, ...paths]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), "");
  }
  return directory;
}

test("all that a run makes is its own, and so is what a dead process left", () => expect(foreignEntry(runWith())).toBeUndefined());

test.each([
  ["thesis.tex", "thesis.tex"],
  ["figures/loss.png", "figures"],
  ["final/thesis.tex", "final/thesis.tex"],
  ["final/deeper/config.json", "final/deeper"],
  ["final/optimizer.safetensors", "final/optimizer.safetensors"],
  ["checkpoints/notes.txt", "checkpoints/notes.txt"],
  ["checkpoints/mine/model.safetensors", "checkpoints/mine"],
  ["checkpoints/step-000020/thesis.tex", "checkpoints/step-000020/thesis.tex"],
])("%s is none of a run's: %s is told", (path, told) => expect(foreignEntry(runWith(path))).toBe(told));
