import { crc32 } from "node:zlib";

/** Step (u64), CRC-32 of the state (u32), CRC-32 of the record's other bytes (u32), loss (f64); little-endian. Docs: docs/run-directory.md. */
export const indexRecordBytes = 24;
const crcAt = 8;
const checkAt = 12;
const lossAt = 16;

/** What the index says of one recorded state. */
export interface IndexRecord {
  step: number;
  /** CRC-32 of the state's bytes. */
  crc: number;
  /** CRC-32 of the record itself; 0 in the records of earlier versions, which have none. */
  check: number;
  /** Loss of the step; NaN for the initial state. */
  loss: number;
}

/** Take one record out of the index's bytes. */
export function parseIndexRecord(bytes: Buffer, index: number): IndexRecord {
  const at = index * indexRecordBytes;
  return { step: stepOfRecord(bytes, index), crc: crcOfRecord(bytes, index), check: bytes.readUInt32LE(at + checkAt), loss: lossOfRecord(bytes, index) };
}

/** The step of a record alone: a list of runs reads thousands, and makes no object and no bigint for each. */
export function stepOfRecord(bytes: Buffer, index: number): number {
  const at = index * indexRecordBytes;
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** The checksum of a record's state alone. */
export function crcOfRecord(bytes: Buffer, index: number): number {
  return bytes.readUInt32LE(index * indexRecordBytes + crcAt);
}

/** The loss of a record alone. */
export function lossOfRecord(bytes: Buffer, index: number): number {
  return bytes.readDoubleLE(index * indexRecordBytes + lossAt);
}

/** The bytes of a record, with its own CRC-32 in them. */
export function packIndexRecord({ step, crc, loss }: Omit<IndexRecord, "check">): Buffer {
  const bytes = Buffer.alloc(indexRecordBytes);
  bytes.writeBigUInt64LE(BigInt(step), 0);
  bytes.writeUInt32LE(crc, crcAt);
  bytes.writeDoubleLE(loss, lossAt);
  bytes.writeUInt32LE(checkOfRecord(bytes, 0), checkAt);
  return bytes;
}

/** The CRC-32 of each byte, for records: a call of zlib for 20 bytes takes ten times as long. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => crc32(Buffer.of(byte)) ^ crc32(Buffer.of(0)));

/** The CRC-32 that a record should carry. */
export function checkOfRecord(bytes: Buffer, index: number): number {
  const at = index * indexRecordBytes;
  let crc = -1;
  for (let byte = at; byte < at + indexRecordBytes; byte++) {
    if (byte === at + checkAt) byte += lossAt - checkAt;
    crc = (table[(crc ^ (bytes[byte] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Whether a record is as it was written, as far as can be told: those of earlier versions have no checksum of their own. */
export function isSoundRecord(bytes: Buffer, index: number): boolean {
  const check = bytes.readUInt32LE(index * indexRecordBytes + checkAt);
  return check === 0 || check === checkOfRecord(bytes, index);
}

/** Whether nothing has been written where a record would be. */
export function isEmptyRecord(bytes: Buffer, index: number): boolean {
  const at = index * indexRecordBytes;
  for (let byte = at; byte < at + indexRecordBytes; byte++) if (bytes[byte] !== 0) return false;
  return true;
}
