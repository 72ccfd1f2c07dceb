import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { readRunDocument, readRunJson } from "../../../src/runs/read-run-json.js";
import { temporaryDirectory } from "../formats/reference-python.js";

const directory = temporaryDirectory();
const runWith = (text: string): string => {
  const run = mkdtempSync(join(directory, "run-"));
  writeFileSync(join(run, "run.json"), text);
  return run;
};

test.each([
  ["is cut off", '{"name": "a"', "it is not JSON"],
  ["has a name twice, of which the later would win in silence", '{"seed": 1, "seed": 2}', 'at byte 12, the name "seed" stands twice'],
])("a file that %s makes the run corrupt", (_what, text, reason) => {
  const run = runWith(text);
  expect(() => readRunJson(run, "run.json")).toThrow(expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringContaining(reason) }));
});

test("a link that leads out of the run is not followed", () => {
  const run = runWith("{}");
  symlinkSync("/etc/hostname", join(run, "config.json"));
  expect(() => readRunJson(run, "config.json")).toThrow(
    expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringContaining("leads out of its directory") }),
  );
});

test("without the file there is no run, and the reason is kept", () => {
  expect(() => readRunJson(runWith("{}"), "config.json")).toThrow(
    expect.objectContaining({ code: "RUN_NOT_FOUND", cause: expect.objectContaining({ code: "FILE_NOT_FOUND" }) }),
  );
});

test("a document that a run may lack is none there; one with other fields is damaged, and says where", () => {
  const schema = z.strictObject({ seed: z.int() });
  const run = runWith('{"seed": "one"}');
  expect(readRunDocument(run, "notes.json", schema)).toBeUndefined();
  expect(() => readRunDocument(run, "run.json", schema)).toThrow(
    expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringMatching(/run\.json is damaged: .*→ at seed/s) }),
  );
  expect(readRunDocument(runWith('{"seed": 1}'), "run.json", schema)).toEqual({ seed: 1 });
});
