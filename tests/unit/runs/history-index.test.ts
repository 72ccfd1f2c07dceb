import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkOfRecord, packIndexRecord, parseIndexRecord } from "../../../src/formats/index-record.js";
import { newestRecord, readHistoryIndex, recordedStep } from "../../../src/runs/history-index.js";
import { expectedFrom, temporaryDirectory } from "../formats/reference-python.js";

const record = { step: 2 ** 40 + 7, crc: 0xdeadbeef, loss: 2.0625 };

/** A run with a history of so many committed states, and an index with these steps. */
function run(done: number, steps: readonly number[]): string {
  const directory = temporaryDirectory();
  const head = Buffer.alloc(4104);
  head.writeBigInt64LE(BigInt(done), 4096);
  writeFileSync(join(directory, "history.safetensors"), head);
  writeFileSync(join(directory, "history.idx"), Buffer.concat(steps.map((step) => packIndexRecord({ step, crc: step, loss: step / 2 }))));
  return directory;
}

test("a record has the bytes that Python's struct and zlib give it", () => {
  const program = `
import json, struct, zlib
step, crc, loss = ${record.step}, ${record.crc}, ${record.loss}
check = zlib.crc32(struct.pack("<QI", step, crc) + struct.pack("<d", loss))
print(json.dumps(struct.pack("<QIId", step, crc, check, loss).hex()))`;
  const bytes = packIndexRecord(record);
  expect(bytes.toString("hex")).toBe(expectedFrom(program));
  expect(parseIndexRecord(bytes, 0)).toEqual({ ...record, check: checkOfRecord(bytes, 0) });
});

test("any flipped bit of a record is seen by its own checksum", () => {
  const bytes = Buffer.concat([packIndexRecord(record), packIndexRecord({ ...record, step: 8 })]);
  for (let bit = 0; bit < 24 * 8; bit++) {
    const flipped = Buffer.from(bytes);
    const at = 24 + (bit >> 3);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
    expect(parseIndexRecord(flipped, 1).check, `bit ${bit}`).not.toBe(checkOfRecord(flipped, 1));
  }
});

test("where state i is step i there is nothing to say, otherwise each state has its step", () => {
  const path = (steps: readonly number[]) => join(run(0, steps), "history.safetensors");
  expect(readHistoryIndex(path([0, 1, 2]), 3)?.steps).toBeUndefined();
  expect(readHistoryIndex(path([0, 4, 8, 9]), 3)).toMatchObject({ steps: [0, 4, 8], crcs: Uint32Array.of(0, 4, 8) });
  expect(readHistoryIndex(join(temporaryDirectory(), "history.safetensors"), 3)).toBeUndefined();
});

test("an index that is too short, or whose steps do not rise, is damaged", () => {
  const refusal = (reason: RegExp) => expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringMatching(reason) });
  expect(() => readHistoryIndex(join(run(0, [0, 1]), "history.safetensors"), 3)).toThrow(refusal(/3 states need 24 bytes each/));
  expect(() => readHistoryIndex(join(run(0, [0, 5, 5]), "history.safetensors"), 3)).toThrow(refusal(/record 2 is of step 5, after one of step 5/));
});

test("the newest committed record is told, not what a crash left after it", () => {
  const directory = run(2, [0, 4, 8, 12]);
  expect(newestRecord(directory)).toMatchObject({ step: 8, crc: 8, loss: 4 });
  expect(recordedStep(directory)).toBe(8);
});

test("a run that has not got so far has no record", () => {
  expect(recordedStep(temporaryDirectory())).toBeUndefined();
  const reserved = run(0, [0]);
  writeFileSync(join(reserved, "history.idx"), Buffer.alloc(3 * 24)); // room for three records
  expect(recordedStep(reserved)).toBeUndefined();
});

test("a steps_done that its index contradicts, and a damaged record, are damage", () => {
  for (const done of [-(2 ** 62), 2 ** 62, 2]) {
    expect(() => recordedStep(run(done, [0, 4]))).toThrow(expect.objectContaining({ code: "RUN_CORRUPT", message: expect.stringContaining("steps_done") }));
  }
  const directory = run(1, [0, 4]);
  const bytes = packIndexRecord({ step: 4, crc: 4, loss: 2 });
  bytes.writeUInt8(bytes.readUInt8(1) ^ 1, 1);
  writeFileSync(join(directory, "history.idx"), Buffer.concat([packIndexRecord({ step: 0, crc: 0, loss: 0 }), bytes]));
  expect(() => recordedStep(directory)).toThrow(/record 1, of step 4 and all its tokens, does not have its own CRC-32/);
});
