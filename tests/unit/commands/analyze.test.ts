import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { analysisDocumentSchema } from "../../../src/analysis/analysis-document.js";
import { analyzeCommand } from "../../../src/commands/analyze.js";
import { captureStdout } from "./capture-stdout.js";

const directory = mkdtempSync(join(tmpdir(), "bh-bridge-analyze-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The width of a terminal that nobody has made wider. */
const terminalColumns = 80;
const one = 0x3f80;
/** Four states of three bfloat16 tokens of two dims: all equal, then token 2 leaves, then tokens 0 and 2 meet, then nothing moves. */
const states = [
  [one, one, one, one, one, one],
  [one, one, one, one, one + 1, one],
  [one + 1, one, one, one, one + 1, one],
  [one + 1, one, one, one, one + 1, one],
];

function writeHistory(path: string): void {
  const data = new Uint8Array(Uint16Array.from(states.flat()).buffer);
  const header = Buffer.from(JSON.stringify({ embedding_history: { dtype: "BF16", shape: [4, 3, 2], data_offsets: [0, data.length] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, data]));
}

function makeRun(name: string, record: object): string {
  const run = join(directory, name);
  mkdirSync(run);
  writeHistory(join(run, "history.safetensors"));
  writeFileSync(join(run, "config.json"), JSON.stringify({ model: { vocab_size: 128 }, record }));
  return run;
}

async function documentOf(...args: string[]) {
  return analysisDocumentSchema.parse(JSON.parse(await captureStdout(analyzeCommand(), ...args, "--json", "--quiet")));
}

const file = join(directory, "history.safetensors");
writeHistory(file);

test("--json prints one document, and nothing is written beside a file", async () => {
  const document = await documentOf(file);
  expect(document).toMatchObject({
    schema: "bh-bridge/analysis@1",
    source: file,
    states: 4,
    degenerate: [],
    finalCensus: { rows: 3, unique: 2, C: 1, P: 2, populations: [2], members: [[0, 2]] },
    timeline: { C: [1, 1, 1, 1], P: [3, 2, 2, 2], splits: [1, 1, 0], escapes: [1, 1, 0], captures: [0, 1, 0] },
    motion: { lastMotionStep: [2, null, 1], frozenFraction: [1 / 3, 2 / 3, 1] },
    lifecycle: { lateEnd: [2, null, 1] },
    notes: [],
  });
  expect(() => readFileSync(join(directory, "analysis.json"))).toThrow();
});

test("a run keeps its whole analysis, which a part of one does not replace", async () => {
  const run = makeRun("whole", { every: 1, rows: "all" });
  const document = await documentOf(run);
  expect(JSON.parse(readFileSync(join(run, "analysis.json"), "utf8"))).toEqual(document);
  await documentOf(run, "--only", "statistics");
  await documentOf(run, "--step", "1");
  expect(JSON.parse(readFileSync(join(run, "analysis.json"), "utf8"))).toEqual(document);
});

test("--only leaves the other analyses out", async () => {
  const document = await documentOf(file, "--only", "timeline,topology", "--k", "0");
  expect(document).not.toHaveProperty("motion");
  expect(document.topology?.final).toMatchObject({ k: 0, nodes: 2, edges: 0 });
});

test("--step ends the history at a training step", async () => {
  const run = makeRun("sparse", { every: 10, rows: "all" });
  const document = await documentOf(run, "--step", "10");
  expect(document.timeline?.P).toEqual([3, 2]);
  expect(document.notes).toEqual([
    "a state was recorded every 10 training steps: state i is training step 10·i, and a step here is the move from one state to the next",
  ]);
  const command = captureStdout(analyzeCommand(), run, "--step", "5");
  await expect(command).rejects.toMatchObject({ code: "USAGE", message: `step 5 is not recorded in ${run}; recorded is every 10th step from 0 to 30` });
});

test("a run that recorded chosen tokens is reported in their numbers", async () => {
  const document = await documentOf(makeRun("chosen", { every: 1, rows: [7, 65, 99] }));
  expect(document.finalCensus.members).toEqual([[7, 99]]);
});

test("people get a table for each analysis, no wider than a terminal", async () => {
  vi.stubEnv("NO_COLOR", "1");
  const text = await captureStdout(analyzeCommand(), file, "--quiet");
  vi.unstubAllEnvs();
  for (const title of ["Timeline", "Last state", "Motion", "Lifecycle", "Topology", "Geometry"]) expect(text).toMatch(new RegExp(`^${title}`, "m"));
  expect(text).toContain("C = 1, P = 2, 2 unique of 3; populations 2");
  const tables = text.split("\n").filter((line) => line.startsWith("│"));
  expect(tables.length).toBeGreaterThan(20);
  expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(terminalColumns);
});

test("an analysis that does not exist is refused, and those that do are named", async () => {
  const command = captureStdout(
    analyzeCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined }),
    file,
    "--only",
    "timeline,motoin",
  );
  await expect(command).rejects.toThrow('There is no analysis "motoin"; there are timeline, statistics, motion, lifecycle, topology, geometry.');
});

test("a history that stands alone in a directory is analysed", async () => {
  const alone = join(directory, "alone");
  mkdirSync(alone);
  writeHistory(join(alone, "history.safetensors"));
  expect(await documentOf(alone)).toMatchObject({ states: 4, notes: [] });
});

test("a file without a history is refused", async () => {
  await expect(captureStdout(analyzeCommand(), join(directory, "absent"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});
