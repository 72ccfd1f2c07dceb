import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, expect, test, vi } from "vitest";
import { analysisDocumentSchema } from "../../../src/analysis/analysis-document.js";
import { analyzeCommand } from "../../../src/commands/analyze.js";
import { packIndexRecord } from "../../../src/formats/index-record.js";
import { captureStdout } from "./capture-stdout.js";

const directory = mkdtempSync(join(tmpdir(), "bh-bridge-analyze-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const one = 0x3f80;
/** Four states of three bfloat16 tokens of two dims: all equal, then token 2 leaves, then tokens 0 and 2 meet, then nothing moves. */
const states = [
  [one, one, one, one, one, one],
  [one, one, one, one, one + 1, one],
  [one + 1, one, one, one, one + 1, one],
  [one + 1, one, one, one, one + 1, one],
];

const bytesOf = (values: readonly number[]) => new Uint8Array(Uint16Array.from(values).buffer);

function writeHistory(path: string): void {
  const data = bytesOf(states.flat());
  const header = Buffer.from(
    JSON.stringify({
      steps_done: { dtype: "I64", shape: [], data_offsets: [0, 8] },
      embedding_history: { dtype: "BF16", shape: [4, 3, 2], data_offsets: [8, 8 + data.length] },
    }),
  );
  const [length, stepsDone] = [Buffer.alloc(8), Buffer.alloc(8)];
  length.writeBigUInt64LE(BigInt(header.length));
  stepsDone.writeBigInt64LE(BigInt(states.length - 1));
  writeFileSync(path, Buffer.concat([length, header, stepsDone, data]));
}

/** The index beside a history, in which each state has its checksum. */
function indexOf(steps: readonly number[]): Uint8Array {
  return Buffer.concat(steps.map((step, state) => packIndexRecord({ step, crc: crc32(bytesOf(states[state] ?? [])), loss: 1 })));
}

function makeRun(name: string, rows: "all" | readonly number[], steps: readonly number[] = [0, 1, 2, 3]): string {
  const run = join(directory, name);
  mkdirSync(run);
  writeHistory(join(run, "history.safetensors"));
  writeFileSync(join(run, "history.idx"), indexOf(steps));
  writeFileSync(join(run, "config.json"), JSON.stringify({ model: { vocab_size: 128 }, record: { rows } }));
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
  const run = makeRun("whole", "all");
  const document = await documentOf(run);
  expect(JSON.parse(readFileSync(join(run, "analysis.json"), "utf8"))).toEqual(document);
  await documentOf(run, "--only", "statistics");
  await documentOf(run, "--step", "1");
  expect(JSON.parse(readFileSync(join(run, "analysis.json"), "utf8"))).toEqual(document);
});

test("an analysis.json that is somebody else's is not replaced", async () => {
  const run = makeRun("foreign", "all");
  writeFileSync(join(run, "analysis.json"), '{"mine":1}');
  expect((await documentOf(run)).states).toBe(4);
  expect(readFileSync(join(run, "analysis.json"), "utf8")).toBe('{"mine":1}');
});

test("--only leaves the other analyses out", async () => {
  const document = await documentOf(file, "--only", "timeline,topology", "--k", "0");
  expect(document).not.toHaveProperty("motion");
  expect(document.topology?.final).toMatchObject({ k: 0, nodes: 2, edges: 0 });
});

test("--step ends the history at a training step, and the steps of its states are told", async () => {
  const run = makeRun("sparse", "all", [0, 10, 20, 27]);
  const document = await documentOf(run, "--step", "10");
  expect(document.timeline?.P).toEqual([3, 2]);
  expect(document.steps).toEqual([0, 10]);
  expect(document.notes).toEqual([
    "some training steps were not recorded: `steps` lists the step of each snapshot, and steps here are moves from one snapshot to the next",
  ]);
  expect((await documentOf(run, "--step", "27")).steps).toEqual([0, 10, 20, 27]);
  const command = captureStdout(analyzeCommand(), run, "--step", "25");
  const message = `step 25 is not recorded in ${run}: it has 4 states of the steps 0 to 27, the nearest 20 and 27`;
  await expect(command).rejects.toMatchObject({ code: "USAGE", message });
});

test("tables show the steps that were recorded", async () => {
  const text = await captureStdout(analyzeCommand(), makeRun("went-on", "all", [1000, 1001, 1002, 1003]), "--only", "timeline", "--quiet", "--no-color");
  for (const step of ["1,000", "1,003"]) expect(text).toMatch(new RegExp(`^ *${step} {2}`, "m"));
});

test.each([
  ["too short", [0, 1, 2], /history\.idx is damaged: it has 72 bytes, but 4 states need 24 bytes each/],
  ["falling", [0, 2, 1, 3], /record 2 is of step 1, after one of step 2/],
])("an index that is %s is named", async (name, steps, message) => {
  const command = captureStdout(analyzeCommand(), makeRun(`index-${name.replace(" ", "-")}`, "all", steps));
  await expect(command).rejects.toMatchObject({ code: "RUN_CORRUPT", message: expect.stringMatching(message) });
});

test("a run that recorded chosen tokens is reported in their numbers, as a run and as its file", async () => {
  const run = makeRun("chosen", [7, 65, 99]);
  for (const path of [run, join(run, "history.safetensors")]) expect((await documentOf(path)).finalCensus.members).toEqual([[7, 99]]);
});

test("a run whose configuration chose other rows than the history has is refused", async () => {
  const command = captureStdout(analyzeCommand(), makeRun("contradicted", [7, 65]));
  await expect(command).rejects.toMatchObject({ code: "FORMAT_INVALID", message: expect.stringContaining("3 rows") });
});

test("people get a table for each analysis", async () => {
  vi.stubEnv("NO_COLOR", "1");
  const text = await captureStdout(analyzeCommand(), file, "--quiet");
  vi.unstubAllEnvs();
  for (const title of ["Timeline", "Last state", "Motion", "Lifecycle", "Topology", "Geometry"]) expect(text).toMatch(new RegExp(`^${title}`, "m"));
  expect(text).toContain("C = 1, P = 2, 2 unique of 3; populations 2");
  expect(text).toContain("  0 fissions, 2 splits, 0 merges, 1 join, 2 escapes, 1 capture");
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
  await expect(command).rejects.toThrow(
    'Unknown analysis "motoin". Use timeline, statistics, motion, lifecycle, topology, geometry, rowNorms, phases, kinematics, deadMass, adamw, onset.',
  );
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
