import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { verifyHistory } from "../../../src/runs/verify-history.js";
import { temporaryDirectory } from "../formats/reference-python.js";
import { stateOf, writeRun } from "../serve/written-run.js";

const [steps, dims, headBytes, stateBytes, recordBytes] = [8, 4, 4104, 128 * 4 * 2, 24];

/** A written run of nine states, changed by a test: its history and its index. */
async function verified(change: (history: string, index: string) => void = () => undefined) {
  const directory = writeRun({ folder: temporaryDirectory(), id: "a", steps, dims });
  const [history, index] = [join(directory, "history.safetensors"), join(directory, "history.idx")];
  change(history, index);
  const { problems, ...found } = await verifyHistory(history);
  return { ...found, problems: problems.map((problem) => problem.replaceAll(`${directory}/`, "")) };
}

function overwrite(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

/** Change a record of the index, with its own CRC-32 made anew: bytes 0 to 12, then from 16 on. */
function changeRecord(index: string, record: number, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(index).subarray(record * recordBytes, (record + 1) * recordBytes);
  change(bytes);
  bytes.writeUInt32LE(crc32(Buffer.concat([bytes.subarray(0, 12), bytes.subarray(16)])), 12);
  overwrite(index, record * recordBytes, bytes);
}

test("a whole history has no problem, no space and no gap", async () => {
  expect(await verified()).toEqual({ problems: [], hasSpace: false, recordGap: undefined });
});

test("a flipped bit is named by its state and step, with both checksums", async () => {
  const state = Buffer.from(stateOf(3, steps, dims));
  const recorded = crc32(state);
  state[17] = (state[17] ?? 0) ^ 1;
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  const { problems } = await verified((history) => overwrite(history, headBytes + 3 * stateBytes, state));
  expect(problems).toEqual([`history.safetensors: state 3 (step 3) has CRC-32 ${hex(crc32(state))}, recorded was ${hex(recorded)}`]);
});

test("a damaged record is named, and steps that do not rise", async () => {
  expect((await verified((_, index) => overwrite(index, 4 * recordBytes + 20, Buffer.of(0xff)))).problems).toEqual([
    "history.idx: record 4 is damaged: it does not have its own CRC-32",
  ]);
  const { problems } = await verified((_, index) => changeRecord(index, 5, (bytes) => bytes.writeUInt8(4, 0)));
  expect(problems).toEqual([expect.stringMatching(/history\.idx .*record 5 is of step 4, after one of step 4$/)]);
});

test("of many problems the first are named and the others counted", async () => {
  const { problems } = await verified((history) => overwrite(history, headBytes, Buffer.alloc(9 * stateBytes, 7)));
  expect(problems).toHaveLength(6);
  expect(problems.at(-1)).toBe("history.safetensors: 4 more problems like these");
});

test("records of an earlier version, without a checksum of their own, and those behind the last state are a gap and no problem", async () => {
  expect(await verified((_, index) => overwrite(index, 2 * recordBytes + 12, Buffer.alloc(4)))).toMatchObject({
    problems: [],
    recordGap: "it has records of an earlier version, which have no checksum of their own",
  });
  expect(await verified((_, index) => writeFileSync(index, Buffer.concat([readFileSync(index), Buffer.alloc(recordBytes)])))).toMatchObject({
    problems: [],
    recordGap: "the records after the last committed state mean nothing",
  });
});

test("room behind the last state is told", async () => {
  const shortened = await verified((history) => overwrite(history, headBytes - 8, Buffer.from(BigInt64Array.of(BigInt(steps - 1)).buffer)));
  expect([shortened.problems, shortened.hasSpace]).toEqual([[], true]);
});

test("what cannot be checked is one problem", async () => {
  const gap = "its history could not be checked";
  expect(await verified((_, index) => rmSync(index))).toEqual({
    problems: ["history.idx is missing: the states in history.safetensors cannot be checked"],
    hasSpace: false,
    recordGap: gap,
  });
  const short = await verified((_, index) => truncateSync(index, 8 * recordBytes));
  expect([short.problems, short.recordGap]).toEqual([[expect.stringMatching(/history\.idx/)], gap]);
  expect((await verified((history) => truncateSync(history, 100))).problems).toEqual([expect.stringMatching(/history\.safetensors/)]);
});
