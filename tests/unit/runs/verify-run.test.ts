import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configHash } from "../../../src/config/config-hash.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest, writeRunManifest } from "../../../src/runs/run-manifest.js";
import { sealRun } from "../../../src/runs/seal-run.js";
import { verifyRun } from "../../../src/runs/verify-run.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { writeRun } from "../serve/written-run.js";
import { writeModel } from "./written-model.js";

/** A whole run of three steps: its configuration has the hash that it should have, and a model lies at its end. */
function whole({ status = "completed" as "completed" | "stopped" | "running", sealed = true } = {}): string {
  const directory = writeRun({ folder: temporaryDirectory(), id: "a", steps: 3, status });
  writeRunManifest(directory, { ...readRunManifest(directory), config_hash: configHash(readRunConfig(directory)) });
  if (status === "completed") writeModel(join(directory, "final"));
  if (sealed) sealRun(directory);
  return directory;
}

const problemsOf = async (directory: string) => (await verifyRun(directory)).problems.map((problem) => problem.replaceAll(directory, "RUN"));

test("a whole run has no problem, and every file of it is covered", async () => {
  expect(await verifyRun(whole())).toEqual({ problems: [], uncovered: [] });
});

test.each(["stopped", "running"] as const)("a run that is %s needs neither its last step nor a model", async (status) => {
  expect(await problemsOf(whole({ status, sealed: false }))).toEqual([]);
});

test("a file that no checksum covers is named, and no problem", async () => {
  const directory = whole();
  writeFileSync(join(directory, "thesis.tex"), "years of work");
  const { problems, uncovered } = await verifyRun(directory);
  expect(problems).toEqual([]);
  expect(JSON.stringify(uncovered)).toContain("thesis.tex");
});

test.each<[what: string, change: (directory: string) => void, problem: RegExp]>([
  [
    "a configuration of another hash",
    (run) => writeFileSync(join(run, "config.json"), readFileSync(join(run, "config.json"), "utf8").replace('"seed": 0', '"seed": 1')),
    /config\.json has hash [0-9a-f]{64}, run\.json says [0-9a-f]{64}/,
  ],
  ["a complete run without its model", (run) => rmSync(join(run, "final"), { recursive: true }), /the run is complete, but there is no final model/],
  [
    "a damaged model",
    (run) => writeFileSync(join(run, "final", "model.safetensors"), "weightz"),
    /final\/model\.safetensors is damaged: its SHA-256 is not the manifest's/,
  ],
  ["a damaged description", (run) => writeFileSync(join(run, "run.json"), "{"), /run\.json.*not JSON/],
  ["damaged notes", (run) => writeFileSync(join(run, "notes.json"), "[]"), /notes\.json/],
  ["a history with another bit", (run) => flip(join(run, "history.safetensors"), -1), /history\.safetensors.*step 3/],
  [
    "checksums that were changed",
    (run) => appendFileSync(join(run, "SHA256SUMS"), "x"),
    /SHA256SUMS is damaged: its last line is not the checksum of the others/,
  ],
  [
    "a checkpoint without its manifest",
    (run) => mkdirSync(join(run, "checkpoints", "step-000002"), { recursive: true }),
    /step-000002\/MANIFEST\.json is missing/,
  ],
])("%s is found", async (_, change, problem) => {
  const directory = whole();
  change(directory);
  expect(await problemsOf(directory)).toContainEqual(expect.stringMatching(problem));
});

test.each([
  ["comes after a later one", [1, 0], "RUN: event 2 of events.jsonl has number 0, which does not follow on 1"],
  ["stands twice", [0, 0], "RUN: event 2 of events.jsonl has number 0, which does not follow on 0"],
])("an event that %s is found by both numbers", async (_, order, problem) => {
  const directory = whole({ sealed: false });
  const path = join(directory, "events.jsonl");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, [...order.map((at) => lines[at]), ...lines.slice(2)].join("\n"));
  expect(await problemsOf(directory)).toEqual([problem]);
});

test("a complete run whose history ends early is found by both steps", async () => {
  const directory = whole({ sealed: false });
  const longer = { ...JSON.parse(readFileSync(join(directory, "config.json"), "utf8")) };
  longer.training.max_steps = 4;
  writeFileSync(join(directory, "config.json"), JSON.stringify(longer));
  expect(await problemsOf(directory)).toContain("RUN: the run is complete, but its history ends at step 3 of 4");
});

test("what is not there cannot be checked", async () => {
  const directory = join(temporaryDirectory(), "gone");
  await expect(verifyRun(directory)).rejects.toMatchObject({ code: "RUN_NOT_FOUND", message: `there is no run in ${directory}: no such directory` });
});

/** Change one bit of a file, counted from its end. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[bytes.length + at] = (bytes.at(at) ?? 0) ^ 1;
  writeFileSync(path, bytes);
}
