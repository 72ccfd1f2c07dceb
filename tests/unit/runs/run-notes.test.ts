import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readRunNotes, writeRunNotes } from "../../../src/runs/run-manifest.js";
import { temporaryFolder } from "../../e2e/program.js";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

test("notes and tags are kept, sorted and once each", () => {
  writeRunNotes(folder.path, { note: "odd", tags: ["b", "a", "b"] });
  expect(readRunNotes(folder.path)).toEqual({ note: "odd", tags: ["a", "b"], reproductions: [] });
});

test("notes of a version that knew no receipts have none", () => {
  writeFileSync(join(folder.path, "notes.json"), '{"note": "old", "tags": []}');
  expect(readRunNotes(folder.path)).toEqual({ note: "old", tags: [], reproductions: [] });
});
