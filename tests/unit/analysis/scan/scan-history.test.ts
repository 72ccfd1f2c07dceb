import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { motion } from "../../../../src/analysis/motion/motion.js";
import { timeline } from "../../../../src/analysis/timeline/timeline.js";
import type { History } from "../../../../src/formats/history.js";
import { memoryHistory } from "../memory-source.js";

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
