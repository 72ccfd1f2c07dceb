import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashWords } from "../../../../src/analysis/census/row-hashes.js";
import { observation } from "../../../../src/analysis/lifecycle/lifecycle.js";
import { analysisSettings } from "../../../../src/analysis/scan/observation.js";
import { cutEvenly, runHere, runInParts, runInWorker, workerCount } from "../../../../src/analysis/scan/run-in-parts.js";
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
    message: expect.stringMatching(/^the worker thread reading .*states ended early \(exit code \d+\)$/),
  });
  await run.stop();
  await result;
});

describe("how many workers there are", () => {
  test("is what the caller says, also none", () => {
    expect(workerCount(1, 1000, { workers: 3 })).toBe(3);
    expect(workerCount(1e12, 1, { workers: 0 })).toBe(0);
  });

  test("is none for work that one thread does as fast", () => {
    expect(workerCount(1999, 1000, {})).toBe(0);
    expect(workerCount(0, 1000, {})).toBe(0);
  });

  test("is never more than the processor carries, nor than eight", () => {
    const most = Math.min(availableParallelism(), 8);
    expect(workerCount(1e15, 1, {})).toBe(most > 1 ? most : 0);
  });
});

describe("work is cut", () => {
  test.each([
    [10, 3],
    [7, 7],
    [3, 8],
    [1, 1],
    [1_000_003, 8],
  ])("of %d things into %d parts that follow each other, nearly as long and none empty", (count, parts) => {
    const ranges = cutEvenly(count, parts);
    expect(ranges.length).toBe(Math.min(count, parts));
    expect(ranges[0]?.first).toBe(0);
    expect(ranges.at(-1)?.end).toBe(count);
    for (const [index, { first }] of ranges.slice(1).entries()) expect(first).toBe(ranges[index]?.end);
    const lengths = ranges.map(({ first, end }) => end - first);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    expect(Math.min(...lengths)).toBeGreaterThan(0);
  });

  test("of nothing into one part of nothing", () => {
    expect(cutEvenly(0, 4)).toEqual([{ first: 0, end: 0 }]);
  });
});

describe("work in this thread", () => {
  function* counting(steps: number): Generator<number, string> {
    for (let step = 1; step <= steps; step++) yield step;
    return "done";
  }

  test("gives what it returns, and its error", async () => {
    expect(await runHere(counting(3), 3, {})).toBe("done");
    // biome-ignore lint/correctness/useYield: it fails before it has done anything
    const failing = function* (): Generator<number, never> {
      throw new Error("the disk is gone");
    };
    await expect(runHere(failing(), 1, {})).rejects.toThrow("the disk is gone");
  });

  test("does not begin when it was stopped before", async () => {
    let steps = 0;
    const work = (function* (): Generator<number, void> {
      yield ++steps;
    })();
    await expect(runHere(work, 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED", message: "the analysis was stopped" });
    expect(steps).toBe(0);
  });
});

describe("work in worker threads", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "rows");
  writeFileSync(path, Uint8Array.of(5, 6, 5, 7));
  const task = (rows: number[]) => ({
    kind: "hash" as const,
    path,
    offset: 0,
    request: { dtype: "U8" as const, columns: 1, rows: Int32Array.from(rows), kernels: "plain" as const },
  });

  test("results come in the order of the tasks, progress as the sum of all", async () => {
    const told: [number, number][] = [];
    const [first, second] = await runInParts([task([0, 1]), task([2, 3])], 4, { onProgress: (done, total) => told.push([done, total]) });
    expect(first?.length).toBe(2 * hashWords);
    expect([...(second ?? [])].slice(0, hashWords)).toEqual([...(first ?? [])].slice(0, hashWords));
    expect(told.at(-1)).toEqual([4, 4]);
  });

  test("the first failure is the caller's, with its code", async () => {
    await expect(runInParts([task([0]), { ...task([0]), path: join(directory, "absent") }], 2, {})).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  test("nothing starts when it was stopped before, and what runs ends when it is stopped", async () => {
    await expect(runInParts([task([0])], 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    const controller = new AbortController();
    const running = runInParts([task([0])], 1, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  });
});
