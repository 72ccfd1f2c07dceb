import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { Checksums } from "../../../src/runs/checksums.js";
import { verifyChecksums } from "../../../src/runs/verify-checksums.js";
import { temporaryDirectory } from "../formats/reference-python.js";

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
