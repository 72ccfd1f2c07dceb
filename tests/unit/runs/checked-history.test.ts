import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { analyze } from "../../../src/analysis/analyze.js";
import { BhBridgeError } from "../../../src/errors.js";
import { readState } from "../../../src/formats/history.js";
import { openRun } from "../../../src/runner/open-run.js";
import { runRow } from "../../../src/runner/run-row.js";
import { sealRun } from "../../../src/runs/checksums.js";
import { openHistory } from "../../../src/runs/open-history.js";
import { writeAnalysis } from "../../../src/runs/recorded-run.js";
import { findRun, noLockHolders } from "../../../src/runs/scan-runs.js";
import { readExperimentRun } from "../../../src/sweep/experiment/read-experiment-run.js";
import { Random } from "../../fuzz/random.js";
import { repetitions } from "../../repetitions.js";
import { writeRun } from "../serve/written-run.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-checked-"));
afterAll(() => rmSync(folder, { recursive: true }));
const [steps, dims, rows] = [12, 4, 128];
const stateBytes = rows * dims * 2;

/** A finished run as training leaves it: analysed and sealed. */
async function finishedRun(id: string): Promise<string> {
  const run = writeRun({ folder, id, steps, dims });
  const history = await openHistory(run);
  writeAnalysis(run, await analyze(history, { workers: 0 }));
  history.close();
  sealRun(run);
  return run;
}

/** Everything that is derived from a run, or the error that it ended with. */
async function derived(run: string): Promise<string> {
  try {
    const history = await openHistory(run);
    try {
      const analysis = await analyze(history, { workers: 0 });
      const row = await runRow(await findRun(run, noLockHolders));
      if (row.problem !== null) throw new BhBridgeError("RUN_CORRUPT", row.problem);
      const experiment = await readExperimentRun(run, "a", ["score", "displacement", "finalLoss"]);
      return JSON.stringify([analysis, row, experiment, await (await openRun(run)).result({ workers: 0 })]);
    } finally {
      history.close();
    }
  } catch (error) {
    return error instanceof BhBridgeError ? error.code : `${error}`;
  }
}

/** Flip one bit of a file while `look` looks at the run. */
async function withFlippedBit<Found>(path: string, bit: number, look: () => Promise<Found>): Promise<Found> {
  const bytes = readFileSync(path);
  const at = bit >> 3;
  writeFileSync(path, bytes.with(at, (bytes[at] ?? 0) ^ (1 << (bit & 7))));
  try {
    return await look();
  } finally {
    writeFileSync(path, bytes);
  }
}

const flips = repetitions(40, 2000);

test(`${flips} flipped bits in the files that results are derived from: each is refused, or changes nothing`, { timeout: 600_000 }, async () => {
  const run = await finishedRun("flips");
  const whole = await derived(run);
  expect(whole).toMatch(/^\[/);
  const files = ["history.safetensors", "history.idx", "history.idx", "run.json", "config.json", "events.jsonl", "analysis.json"];
  const [outcomes, wrong] = [new Map<string, number>(), [] as string[]];
  for (let index = 0; index < flips; index++) {
    const random = new Random(7_000_003 + index);
    const name = random.pick(files);
    const path = join(run, name);
    // Half of the flips in a history hit the page of its header, which is mostly spaces, and steps_done.
    const bits = (name === "history.safetensors" && random.below(2) === 0 ? 4104 : readFileSync(path).length) * 8;
    const bit = random.below(bits);
    const found = await withFlippedBit(path, bit, () => derived(run));
    const outcome = found === whole ? "equal" : found;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (outcome !== "equal" && outcome !== "RUN_CORRUPT") wrong.push(`case ${index}: bit ${bit} of ${name}: ${outcome.slice(0, 200)}`);
  }
  expect(wrong).toEqual([]);
  expect(outcomes.get("RUN_CORRUPT")).toBeGreaterThan(flips / 2);
});

test("every flipped bit of steps_done is refused, of a run that has ended", async () => {
  const run = await finishedRun("steps-done");
  for (let bit = 4096 * 8; bit < 4104 * 8; bit++) {
    const opened = withFlippedBit(join(run, "history.safetensors"), bit, async () => (await openHistory(run)).close());
    await expect(opened, `bit ${bit}`).rejects.toMatchObject({ code: "RUN_CORRUPT", message: expect.stringContaining("history.safetensors") });
  }
});

test("of a damaged snapshot file, step and token are named, in the API and in worker threads too", async () => {
  const run = writeRun({ folder, id: "named", steps, dims });
  const path = join(run, "history.safetensors");
  const message = new RegExp(`^${path} is damaged at step 5, token 65, component 2: `);
  const refusal = { code: "RUN_CORRUPT", message: expect.stringMatching(message) };
  const bit = (4104 + 5 * stateBytes + 65 * dims * 2 + 2 * 2 + 1) * 8 + 6;
  await withFlippedBit(path, bit, async () => {
    await expect(
      (async () => {
        for await (const { step } of (await openRun(run)).history()) expect(step).toBeLessThan(5);
      })(),
    ).rejects.toMatchObject(refusal);
    const history = await openHistory(path);
    expect(() => readState(history, 5)).toThrow(expect.objectContaining(refusal));
    expect(readState(history, 4).rows).toBe(rows);
    await expect(analyze(history, { workers: 2 })).rejects.toMatchObject(refusal);
    history.close();
  });
});

test("a damaged record is refused with its step, also one that is not read", async () => {
  const run = writeRun({ folder, id: "record", steps, dims });
  for (const byte of [1, 9, 20]) {
    const opened = withFlippedBit(join(run, "history.idx"), (3 * 24 + byte) * 8, () => openHistory(run));
    await expect(opened).rejects.toMatchObject({ code: "RUN_CORRUPT", message: expect.stringMatching(/history\.idx is damaged: record 3, of step 3 /) });
  }
});

test("a history without an index, as the notebook leaves it, is read as it is", async () => {
  const run = writeRun({ folder, id: "notebook", steps, dims });
  rmSync(join(run, "history.idx"));
  await withFlippedBit(join(run, "history.safetensors"), (4104 + 9) * 8, async () => {
    const history = await openHistory(run);
    expect(readState(history, 0).rows).toBe(rows);
    history.close();
  });
});

test("a steps_done that forgets more states than a recorder leaves uncommitted is refused, of a run that was killed too", async () => {
  const run = writeRun({ folder, id: "killed", steps: 1100, dims: 1, status: "running" });
  const path = join(run, "history.safetensors");
  await withFlippedBit(path, 4096 * 8 + 2, async () => (await openHistory(run)).close()); // 1100 → 1096: those may be uncommitted
  const opened = withFlippedBit(path, 4097 * 8 + 2, () => openHistory(run)); // 1100 → 76
  await expect(opened).rejects.toMatchObject({
    code: "RUN_CORRUPT",
    message: expect.stringContaining("counts 77 states, but history.idx has records of many more"),
  });
});
