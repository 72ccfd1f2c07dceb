import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { uncoveredFiles } from "../../../src/runs/uncovered-files.js";
import { temporaryDirectory } from "../formats/reference-python.js";

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
