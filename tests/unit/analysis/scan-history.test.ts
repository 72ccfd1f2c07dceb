import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { census } from "../../../src/analysis/census.js";
import { censusOfRows } from "../../../src/analysis/census-of-rows.js";
import { motion } from "../../../src/analysis/motion.js";
import { stepMotion } from "../../../src/analysis/step-motion.js";
import { timeline } from "../../../src/analysis/timeline.js";
import { topology } from "../../../src/analysis/topology.js";
import type { History } from "../../../src/formats/history.js";
import { Matrix } from "../../../src/formats/matrix.js";
import { readState } from "../../../src/formats/read-state.js";
import type { RowSource } from "../../../src/formats/row-source.js";
import { memoryHistory, memorySource } from "./memory-source.js";

const directory = mkdtempSync(join(tmpdir(), "bh-bridge-scan-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** 4,000 states of 64 × 32 bytes, 8 MB: many chunks, many turns. */
const longShape = [4000, 64, 32] as const;
const longBytes = Uint8Array.from({ length: longShape[0] * longShape[1] * longShape[2] }, (_, index) => ((index >> 5) * (index >> 11)) % 251);
const long = memoryHistory("U8", longShape, longBytes);

/** The same history in a plain file, which worker threads can read. */
function fileHistory(name: string): History {
  const path = join(directory, name);
  writeFileSync(path, longBytes);
  return { ...long, raw: { path, offset: 0 } };
}

test("an analysis is stopped by its signal, in this thread and in workers", async () => {
  for (const history of [long, fileHistory("stopped")]) {
    const controller = new AbortController();
    const running = motion(history, { signal: controller.signal, workers: history.raw ? 2 : 0, onProgress: () => controller.abort() });
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  }
  await expect(timeline(long, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});

test("others have their turn while a long history is analysed", async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const progress: number[] = [];
  await motion(long, { onProgress: (done, total) => progress.push(done / total) });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(2);
  expect(progress.length).toBeGreaterThan(2);
  expect(progress).toEqual(progress.toSorted((a, b) => a - b));
});

test("workers find the timeline that one thread finds, and tell their progress", async () => {
  let last = 0;
  const shared = await timeline(fileHistory("shared"), {
    workers: 3,
    onProgress: (done) => {
      last = done;
    },
  });
  expect(shared).toEqual(await timeline(long));
  expect(last).toBe(longShape[0]);
});

test("an error in a worker keeps its code", async () => {
  const history = fileHistory("cut");
  truncateSync(history.raw?.path ?? "", longBytes.length - 1);
  await expect(timeline(history, { workers: 2 })).rejects.toMatchObject({ code: "FORMAT_INVALID" });
  await expect(timeline({ ...long, raw: { path: join(directory, "absent"), offset: 0 } }, { workers: 2 })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

test("an error while reading reaches the caller", async () => {
  const broken: History = {
    ...long,
    read() {
      throw new Error("the disk is gone");
    },
  };
  await expect(timeline(broken)).rejects.toThrow("the disk is gone");
});

test("each step's norms are given for every token, in order", async () => {
  const steps: number[] = [];
  const short = memoryHistory("F32", [4, 2, 3], new Uint8Array(Float32Array.from({ length: 24 }, (_, index) => index * index).buffer));
  await motion(short, {
    onStep(step, { weight }) {
      steps.push(step);
      const alone = stepMotion(readState(short, step - 1), readState(short, step));
      expect(weight).toEqual(alone.weight);
      // (n + 6)² − n² = 12n + 36 for n = 6·(step − 1) and on, three to a token.
      const first = 6 * (step - 1);
      expect([...weight.L1]).toEqual([3 * (12 * first + 36) + 36, 3 * (12 * first + 36) + 36 * 4]);
    },
  });
  expect(steps).toEqual([1, 2, 3]);
});

test("chosen rows are read alone, and reported by their own numbers", async () => {
  const matrix = new Matrix("U8", [256, 8], longBytes.subarray(0, 2048));
  const rows = [3, 200, 4, 5, 90, 91, 7, 255];
  for (const kernels of ["wasm", "plain"] as const) {
    expect(await censusOfRows(memorySource(matrix), rows, { kernels })).toEqual(census(matrix, rows));
  }
  await expect(censusOfRows(memorySource(matrix), [256])).rejects.toMatchObject({ code: "USAGE" });
});

test("workers hash the rows of a plain file, and the census is the same", async () => {
  const { raw } = fileHistory("rows");
  if (!raw) throw new Error("no file");
  const matrix = new Matrix("U8", [longBytes.length / 32, 32], longBytes);
  const expected = census(matrix);
  expect(expected.C).toBeGreaterThan(10);
  expect(await censusOfRows({ ...memorySource(matrix), raw }, undefined, { workers: 3 })).toEqual(expected);
});

test("groups of rows too large to be kept together are compared in turns, each row read twice in all", async () => {
  // 12 rows of 12 MB: groups {0, 4, 8}, {1, 5, 9} and so on, of which two fit into the memory for kept rows.
  const columns = 12 * 1024 * 1024;
  const reads: number[] = [];
  const source: RowSource = {
    source: "memory",
    dtype: "U8",
    rows: 12,
    columns,
    read(first, count, target) {
      for (let row = 0; row < count; row++) {
        reads.push(first + row);
        target.subarray(row * columns, (row + 1) * columns).fill((first + row) % 4);
      }
    },
  };
  const { members } = await censusOfRows(source);
  expect(members).toEqual([
    [0, 4, 8],
    [1, 5, 9],
    [2, 6, 10],
    [3, 7, 11],
  ]);
  expect(reads.length).toBe(24);
});

test("a topology is of bfloat16 alone", async () => {
  await expect(topology(new Matrix("F16", [1, 1], new Uint8Array(2)))).rejects.toMatchObject({ code: "FORMAT_UNSUPPORTED" });
});
