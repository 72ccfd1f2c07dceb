import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Terminal } from "../../../../src/commands/terminal/terminal.js";
import { showResult } from "../../../../src/commands/train/format-result.js";
import { summarizeRun } from "../../../../src/runner/summarize-run.js";
import { type TrainResult, trainResultSchema } from "../../../../src/runner/train-result.js";
import { readRunConfig } from "../../../../src/runs/run-config.js";
import { readRunManifest } from "../../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";

const run = writeRun({ folder: temporaryDirectory(), id: "run", steps: 5 });
const config = readRunConfig(run);
const trap = { what: "labels are shifted twice", corrected: "data.label_shift=causal" };
const result: TrainResult = { ...(await summarizeRun(run, config, readRunManifest(run))), traps: [trap] };

let out = "";
let code: typeof process.exitCode;
beforeEach(() => {
  out = "";
  code = process.exitCode;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = code;
});

test("a result is printed with its traps last, which --quiet leaves out", () => {
  showResult(result, config, new Terminal({ color: false }));
  expect(out).toContain(trap.what);
  const told = out.indexOf(trap.what);
  expect(out.indexOf("C = 1")).toBeLessThan(told);
  out = "";
  showResult(result, config, new Terminal({ color: false, quiet: true }));
  expect(out).not.toContain(trap.what);
  expect(process.exitCode).toBe(code);
});

test("with --json it is one document", () => {
  showResult(result, config, new Terminal({ color: false, json: true }));
  expect(trainResultSchema.parse(JSON.parse(out))).toEqual(result);
});

test("a run to weights that are no numbers has failed", () => {
  showResult({ ...result, finite: false }, config, new Terminal({ color: false, json: true }));
  expect(process.exitCode).toBe(1);
});
