import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { packIndexRecord } from "../../../src/formats/index-record.js";
import { flippedBit, RawReader, type StateChecks, StateGuard } from "../../../src/formats/state-checks.js";

const folder = mkdtempSync(join(tmpdir(), "bh-bridge-checks-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Three snapshots of four rows of two 16-bit numbers behind eight other bytes. */
const [start, stateBytes, rowBytes] = [8, 16, 4];
const file = Buffer.from(Array.from({ length: start + 3 * stateBytes }, (_, at) => (at * 37 + 11) % 256));
const stateAt = (bytes: Buffer, state: number) => bytes.subarray(start + state * stateBytes, start + (state + 1) * stateBytes);
const index = join(folder, "history.idx");
const crcs = Uint32Array.from([0, 1, 2], (state) => crc32(stateAt(file, state)));
writeFileSync(index, Buffer.concat([...crcs].map((crc, state) => packIndexRecord({ step: state * 10, crc, loss: 1 }))));
const checks: StateChecks = { index, start, stateBytes, rowBytes, itemBytes: 2, crcs, steps: [0, 10, 20], rowName: "token", tokens: [3, 65, 97, 120] };

function flipped(...bits: number[]): Buffer {
  const bytes = Buffer.from(file);
  for (const bit of bits) bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return bytes;
}

/** A guard over a file with these bytes. */
const guard = (bytes: Buffer) => new StateGuard("h", checks, (offset, target) => target.set(bytes.subarray(offset, offset + target.length)));
const refusal = (message: RegExp) => expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringMatching(message) });

test("every single flipped bit of a message is found from both checksums, and two flipped bits are no single one", () => {
  const message = file.subarray(0, 20);
  const sum = crc32(message);
  for (let bit = 0; bit < 160; bit++) {
    expect(flippedBit(crc32(flipped(bit).subarray(0, 20)) ^ sum, 20)).toBe(bit);
    expect(flippedBit(crc32(flipped(bit, (bit + 37) % 160).subarray(0, 20)) ^ sum, 20)).toBeUndefined();
  }
});

test("what is as it was recorded passes, read whole, across snapshots or in part", () => {
  for (const [first, end] of [
    [0, file.length],
    [start, start + stateBytes],
    [start + 5, start + 40],
    [start + 17, start + 18],
  ] as const)
    expect(() => guard(file).check(first, file.subarray(first, end))).not.toThrow();
});

test("a flipped bit is named by step, token, component and byte, also where other rows of its snapshot are read", () => {
  const bit = (start + stateBytes + 2 * rowBytes + 3) * 8 + 6; // snapshot 1, row 2, second component
  const bytes = flipped(bit);
  const message = /^h is damaged at step 10, token 97, component 1: .*bit 6 of byte 35\. /;
  expect(() => guard(bytes).check(start, bytes.subarray(start))).toThrow(refusal(message));
  expect(() => guard(bytes).check(start + stateBytes, bytes.subarray(start + stateBytes, start + stateBytes + 4))).toThrow(refusal(message));
  expect(() => guard(bytes).check(start + 2 * stateBytes, stateAt(bytes, 2))).not.toThrow();
});

test("of more than one flipped bit the token is said to be unknown", () => {
  const bytes = flipped(start * 8, start * 8 + 9);
  expect(() => guard(bytes).check(start, stateAt(bytes, 0))).toThrow(refusal(/^h is damaged at step 0, token unknown: .*no single flipped bit/));
});

test("a snapshot that a resumed run has recorded again passes by the checksum that the index has now", () => {
  const path = join(folder, "again.idx");
  const bytes = flipped(start * 8, start * 8 + 9);
  const records = [crc32(stateAt(bytes, 0)), crcs[1] ?? 0, crcs[2] ?? 0].map((crc, state) => packIndexRecord({ step: state, crc, loss: 1 }));
  writeFileSync(path, Buffer.concat(records));
  const other = new StateGuard("h", { ...checks, index: path }, () => undefined);
  expect(() => other.check(start, stateAt(bytes, 0))).not.toThrow();
});

test("a reader of raw bytes, as a worker thread has it, checks them too", () => {
  const path = join(folder, "history.safetensors");
  writeFileSync(path, flipped((start + 5) * 8));
  const reader = new RawReader({ path, offset: start, checks });
  const target = new Uint8Array(stateBytes);
  expect(() => reader.readInto(stateBytes, target, "a state")).not.toThrow();
  expect(Buffer.from(target)).toEqual(stateAt(file, 1));
  expect(() => reader.readInto(0, target, "a state")).toThrow(refusal(/step 0, token 65, component 0/));
  reader.close();
});
