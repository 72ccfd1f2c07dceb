import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { indexRecordBytes, packIndexRecord, parseIndexRecord } from "../../src/formats/index-record.js";
import { sealRun } from "../../src/runs/checksums.js";
import { runFiles } from "../../src/runs/run-layout.js";

/** One bfloat16 of the recorded embedding. */
interface RecordedNumber {
  /** Index of the snapshot in the history: the step, if every step is recorded. */
  snapshot: number;
  token: number;
  component: number;
}

/** Flip the lowest bit of a recorded number and nothing else: the history is damaged, because its checksums no longer match. Returns the snapshot. */
export function damageNumber(run: string, { snapshot, token, component }: RecordedNumber): Buffer {
  const path = join(run, "history.safetensors");
  const bytes = readFileSync(path);
  const header = 8 + Number(bytes.readBigUInt64LE(0));
  const { shape, data_offsets } = JSON.parse(bytes.toString("utf8", 8, header)).embedding_history;
  const [, tokens, dims] = shape;
  const start = header + data_offsets[0] + snapshot * tokens * dims * 2;
  const at = start + (token * dims + component) * 2;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
  return bytes.subarray(start, start + tokens * dims * 2);
}

/** Flip the lowest bit of a recorded number and write the checksums that cover it: the history of another training, which is as sound as the first. */
export function recordOtherNumber(run: string, at: RecordedNumber): void {
  const crc = crc32(damageNumber(run, at));
  const path = join(run, "history.idx");
  const index = readFileSync(path);
  const { step, loss } = parseIndexRecord(index, at.snapshot);
  packIndexRecord({ step, crc, loss }).copy(index, at.snapshot * indexRecordBytes);
  writeFileSync(path, index);
  rmSync(join(run, runFiles.checksums));
  sealRun(run);
}
