import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { configHash } from "../../../src/config/config-hash.js";
import { type Checksums, sealRun } from "../../../src/runs/checksums.js";
import { readRunConfig } from "../../../src/runs/run-config.js";
import { readRunManifest, writeRunManifest } from "../../../src/runs/run-manifest.js";
import { uncoveredFiles, verifyChecksums, verifyRun } from "../../../src/runs/verify-run.js";
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

/** A directory with these files, which are empty unless they are given a text. */
function directoryWith(...files: readonly (string | readonly [path: string, text: string])[]): string {
  const directory = temporaryDirectory();
  for (const file of files) {
    const [path, text] = typeof file === "string" ? [file, ""] : file;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

const sums = (...files: string[]) => ({ files: new Map(files.map((file) => [file, "0"])), heads: new Map<string, string>(), next: new Map<string, string>() });
const history = { problems: [], hasSpace: false, recordGap: undefined };
const reasons = (directory: string, coverage: Parameters<typeof uncoveredFiles>[1]) =>
  Object.fromEntries(uncoveredFiles(directory, coverage).map(({ file, reason }) => [file, reason]));

test("of a sealed run nothing is uncovered but what is no part of it, or came later", () => {
  const directory = directoryWith(
    ...["SHA256SUMS", "run.json", "config.json", "final/model.safetensors", "history.safetensors", "history.idx"],
    ...["run.lock", "stop.request", "analysis.json", "notes.txt", ".hidden", "final/.x", "run.json.partial"],
  );
  const covered = sums("run.json", "config.json", "final/model.safetensors", "history.idx");
  const histories = new Map([["history.safetensors", history]]);
  expect(reasons(directory, { sums: covered, status: "completed", histories })).toEqual({
    "run.lock": "it names the process that wrote last, and holds nothing of the run",
    "stop.request": "it asks for a stop, and holds nothing of the run",
    "analysis.json": "it came after the checksums",
    "notes.txt": "it is not a part of the run",
    ".hidden": "a process was making or removing it; it means nothing",
    "final/.x": "a process was making or removing it; it means nothing",
    "run.json.partial": "a process was making or removing it; it means nothing",
  });
});

test("a file that is about to be written anew is covered", () => {
  const next = new Map([["notes.json", "1"]]);
  expect(reasons(directoryWith("notes.json"), { sums: { ...sums(), next }, status: "completed", histories: new Map() })).toEqual({});
});

test("the space behind a history's last state is told, and a history that came while the check ran", () => {
  const directory = directoryWith("history.safetensors", "history.wte.grad.safetensors");
  const histories = new Map([["history.safetensors", { ...history, hasSpace: true }]]);
  expect(reasons(directory, { sums: sums(), status: "completed", histories })).toEqual({
    "history.safetensors": "the space after its last state means nothing",
    "history.wte.grad.safetensors": "it was not there when the check began",
  });
});

test.each([
  ["running", "SHA256SUMS is written when the run has come to its end"],
  ["failed", "SHA256SUMS is written when the run has come to its end"],
  ["completed", 'the run has no sound SHA256SUMS; "bh-bridge resume" writes one where there is none'],
  ["stopped", "the run has no sound SHA256SUMS"],
  [undefined, "the run has no sound SHA256SUMS"],
] as const)("without checksums, a run that is %s has only its states and what a manifest covers", (status, reason) => {
  const manifest = JSON.stringify({ format: 1, files: { "model.safetensors": { size: 0, sha256: "0" } } });
  const directory = directoryWith("run.json", "history.safetensors", "history.idx", "final/model.safetensors", "final/extra.txt", [
    "final/MANIFEST.json",
    manifest,
  ]);
  const histories = new Map([["history.safetensors", { ...history, recordGap: "its last record is torn" }]]);
  expect(reasons(directory, { sums: undefined, status, histories })).toEqual({
    "run.json": reason,
    "history.safetensors": `only its states have checksums: ${reason}`,
    "history.idx": "its last record is torn",
    "final/extra.txt": reason,
    "final/MANIFEST.json": reason,
  });
});

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");
const head = Buffer.alloc(4104, 1);
const manifest = JSON.stringify({ format: 1, files: { "model.safetensors": { size: 1, sha256: sha256("m") } } });

/** A run as it was sealed, changed by a test. */
function problems(change: (directory: string, sums: Checksums) => void): string[] {
  const directory = temporaryDirectory();
  const contents: Record<string, string | Buffer> = {
    "run.json": "{}",
    "events.jsonl": "[]",
    "final/model.safetensors": "m",
    "final/MANIFEST.json": manifest,
    "history.safetensors": Buffer.concat([head, Buffer.from("states")]),
  };
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  const files = new Map(["run.json", "events.jsonl", "final/model.safetensors", "final/MANIFEST.json"].map((path) => [path, sha256(contents[path] ?? "")]));
  const sums = { files, heads: new Map([["history.safetensors", sha256(head)]]), next: new Map() };
  change(directory, sums);
  return verifyChecksums(directory, sums).map((problem) => problem.replace(`${directory}/`, ""));
}

test.each<[what: string, change: (directory: string, sums: Checksums) => void, found: string[]]>([
  ["a whole run", () => undefined, []],
  ["a file with another letter", (run) => writeFileSync(join(run, "run.json"), "[]"), ["run.json is damaged: its SHA-256 is not the one in SHA256SUMS"]],
  ["a file that is gone", (run) => rmSync(join(run, "events.jsonl")), ["events.jsonl is missing"]],
  ["a file that its manifest has as well, which is read there", (run) => writeFileSync(join(run, "final/model.safetensors"), "x"), []],
  [
    "a manifest itself",
    (run) => writeFileSync(join(run, "final/MANIFEST.json"), `${manifest} `),
    [
      // The model is no longer vouched for by a manifest with other bytes, but its sum there is still the same.
      "final/MANIFEST.json is damaged: its SHA-256 is not the one in SHA256SUMS",
    ],
  ],
  ["the states of a history, which have checksums of their own", (run) => writeFileSync(join(run, "history.safetensors"), Buffer.concat([head, head])), []],
  [
    "the head of a history",
    (run) => writeFileSync(join(run, "history.safetensors"), head.subarray(1)),
    ["history.safetensors is damaged: its SHA-256 is not the one in SHA256SUMS"],
  ],
  ["a file that was to become another, before the change", (_, { next }) => next.set("run.json", sha256("new")), []],
  [
    "and after it",
    (run, { next }) => {
      next.set("run.json", sha256("new"));
      writeFileSync(join(run, "run.json"), "new");
    },
    [],
  ],
  ["a file that was to come, and has not", (_, { next }) => next.set("notes.json", sha256("new")), []],
  [
    "a file that was to come, and is another",
    (run, { next }) => {
      next.set("notes.json", sha256("new"));
      writeFileSync(join(run, "notes.json"), "other");
    },
    ["notes.json is damaged: its SHA-256 is not the one in SHA256SUMS"],
  ],
])("of %s, what is wrong is told", (_, change, found) => {
  expect(problems(change)).toEqual(found);
});
