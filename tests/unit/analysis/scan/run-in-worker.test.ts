import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { analysisSettings } from "../../../../src/analysis/analysis-settings.js";
import { observation } from "../../../../src/analysis/scan/lifecycle-scan.js";
import { runInWorker } from "../../../../src/analysis/scan/run-in-worker.js";
import { timelineFields } from "../../../../src/analysis/scan/state-scanner.js";
import { temporaryDirectory } from "../../formats/reference-python.js";

const path = join(temporaryDirectory(), "states");
/** Behind a header of 3 bytes, three states of two tokens of one dim: the holes are {0, 1}, none, {0, 1}. */
writeFileSync(path, Uint8Array.of(255, 255, 255, 1, 1, 1, 2, 3, 3));
const shape = { dtype: "U8" as const, tokens: 2, dims: 1 };
const request = { ...shape, first: 0, end: 3, settings: analysisSettings({}), kernels: "plain" as const };
const scan = { kind: "scan" as const, path, offset: 3, request, modules: [] as string[] };

test("a worker scans the states that lie behind the offset, and tells how far it is", async () => {
  let done = 0;
  const run = runInWorker(scan, (count) => {
    done = count;
  });
  const { counts, sightings, observed } = await run.result;
  await run.stop();
  expect([0, 1, 2].map((state) => counts[state * timelineFields.length + timelineFields.indexOf("C")])).toEqual([1, 0, 1]);
  expect(sightings).toEqual({ nonzero: true, finite: true, moved: true, nonfiniteTokens: Uint8Array.of(0, 0) });
  expect(observed).toEqual([]);
  expect(done).toBe(3);
});

test("a worker loads each observation from its own module", async () => {
  const run = runInWorker({ ...scan, modules: [observation.module ?? ""] }, () => undefined);
  expect((await run.result).observed).toEqual([{ lastEarly: Int32Array.of(0, 0), lastMidlife: Int32Array.of(0, 0), lastLate: Int32Array.of(0, 0) }]);
});

test("an error keeps its code and its message across the thread", async () => {
  const absent = runInWorker({ ...scan, path: `${path}-absent` }, () => undefined);
  await expect(absent.result).rejects.toMatchObject({ code: "FILE_NOT_FOUND", message: expect.stringContaining("states-absent") });
  const short = runInWorker({ ...scan, offset: 4 }, () => undefined);
  await expect(short.result).rejects.toMatchObject({ code: "FORMAT_INVALID" });
});

test("a worker that is stopped before its answer has failed", async () => {
  const run = runInWorker(scan, () => undefined);
  const result = expect(run.result).rejects.toMatchObject({
    code: "INTERNAL",
    message: expect.stringMatching(/^a worker thread that reads .*states ended early \(exit code \d+\)$/),
  });
  await run.stop();
  await result;
});
