import { join } from "node:path";
import { expect, test } from "vitest";
import { terminalColors } from "../../../../src/commands/terminal/terminal.js";
import { formatPitfalls, formatResult, formatStart } from "../../../../src/commands/train/format-result.js";
import { summarizeRun } from "../../../../src/runner/summarize-run.js";
import { readRunConfig } from "../../../../src/runs/run-config.js";
import { readRunManifest } from "../../../../src/runs/run-manifest.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeRun } from "../../serve/written-run.js";

const directory = writeRun({ folder: temporaryDirectory(), id: "a" });
const [config, manifest] = [readRunConfig(directory), readRunManifest(directory)];
const result = await summarizeRun(directory, config, manifest);
const plain = terminalColors(false);

test("the verdict comes first, then the figures of the run", () => {
  const text = formatResult(result, config, plain);
  expect(text.trim()).toMatch(new RegExp(`^Verdict: ${result.verdict.result}\n`));
  for (const line of ["Black holes         C = 1", "Population          P = 8", "Unique rows         121 of 128", "Dead tokens         8"])
    expect(text).toContain(`  ${line}\n`);
  expect(text).toContain("GPT-2 with RMSNorm, 60 of 60 steps, 10.0 steps/s");
  expect(text).toContain("Single steps, one batch each: the run is shorter than training.logging_steps");
  expect(text).not.toMatch(/Failed|Used/);
});

test("a long list of losses is thinned out to twenty lines, the last one kept", () => {
  const loss = Array.from({ length: 101 }, (_, index): [number, number | null] => [2 * index + 2, index === 100 ? null : index / 8]);
  const lines = formatResult({ ...result, loss }, config, plain).split("\n");
  const from = lines.findIndex((line) => line.includes("mean loss"));
  const rows = lines.slice(from + 1, lines.indexOf("", from)).map((line) => line.trim().split(/\s+/));
  expect(rows.map(([step]) => Number(step))).toEqual([...Array.from({ length: 16 }, (_, index) => 12 * (index + 1)), 202]);
  expect([rows[0], rows.at(-1)]).toEqual([
    ["12", "0.6250"],
    ["202", "not", "finite"],
  ]);
});

test("a training that failed says so, and what was used is told where it is known", () => {
  const text = formatResult({ ...result, finite: false, usage: { cpuCores: 1.26, peakBytes: 5e8, gpuPeakBytes: 2e9 } }, config, plain);
  expect(text).toContain("  Failed: at the end the weights are not all finite numbers");
  expect(text).toMatch(/ {2}Used 1\.3 cores on average, .* of memory at the peak, .* of the GPU's/);
});

test("traps are told with what corrects each, and nothing where there is none", () => {
  const traps = [
    { what: "labels are shifted twice", corrected: "data.shift=once" },
    { what: "short", corrected: "b=1" },
  ];
  expect(
    formatPitfalls({ ...result, traps }, plain)
      .split("\n")
      .slice(-2),
  ).toEqual(["  labels are shifted twice  data.shift=once", "  short                     b=1"]);
  expect(formatPitfalls({ ...result, traps: [] }, plain)).toBe("");
});

test("a start tells corpus, model, device and directory; what was left out of the text only where there was some", () => {
  const started = { directory: join(process.cwd(), "runs/a"), manifest, windows: 900 };
  const text = formatStart(started, config, plain);
  expect(text.split("\n")).toEqual([
    "Corpus   /text.txt",
    "         1,000 tokens, 120 distinct, 8 dead of 128; 900 windows",
    "Model    GPT-2 with RMSNorm, 1,000 parameters, bfloat16; start: singular",
    "Device   cpu, 1 thread (AVX512)",
    "Run      runs/a",
  ]);
  const filtered = { ...started, manifest: { ...manifest, corpus: { ...manifest.corpus, filtered: 1 } } };
  expect(formatStart(filtered, config, plain)).toContain("8 dead of 128, 1 character outside the vocabulary omitted; 900 windows");
});
