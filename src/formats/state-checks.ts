import { crc32 } from "node:zlib";
import { BhBridgeError } from "../errors.js";
import { FileBytes } from "./file-bytes.js";
import { crcOfRecord, indexRecordBytes, isSoundRecord } from "./index-record.js";

/** The checksums of the snapshots in a recorded history. Plain data: worker threads receive a copy. */
export interface StateChecks {
  /** Path of the index that holds them. */
  readonly index: string;
  /** Byte of the history's file at which snapshot 0 begins. */
  readonly start: number;
  readonly stateBytes: number;
  readonly rowBytes: number;
  readonly itemBytes: number;
  /** CRC-32 of each recorded snapshot. */
  readonly crcs: Uint32Array;
  /** Training step of each snapshot; snapshot i belongs to step i if absent. */
  readonly steps?: readonly number[] | undefined;
  /** What a row is, for messages. */
  readonly rowName: "token" | "row";
  /** Token of each row; row i is token i if absent. Set when the labels of the history have been read. */
  tokens?: readonly number[] | undefined;
}

/** Where contiguous little-endian elements lie in a plain file, so that worker threads can read them. */
export interface RawBytes {
  readonly path: string;
  readonly offset: number;
  /** Checksums of the snapshots in that file; absent if it has none. */
  readonly checks?: StateChecks;
}

/** Fills `target` with the bytes of the history's file from `offset` on. */
type ReadBytes = (offset: number, target: Uint8Array) => void;

/** Snapshots of which only a part was asked for are read in whole rows of about this size. */
const pieceBytes = 1 << 20;

/** Compares everything that is read of a history with the checksums of its snapshots. */
export class StateGuard {
  readonly #path: string;
  readonly #checks: StateChecks;
  readonly #read: ReadBytes;
  /** Snapshots that were checked because a part of them was read. */
  readonly #checked = new Set<number>();

  /**
   * @param path of the history's file.
   * @param read reads it, for snapshots of which only a part was asked for.
   */
  constructor(path: string, checks: StateChecks, read: ReadBytes) {
    this.#path = path;
    this.#checks = checks;
    this.#read = read;
  }

  /**
   * Check bytes that were read from `offset` of the file on.
   * @throws {BhBridgeError} `RUN_CORRUPT` with file and step, and with the token if one flipped bit explains the damage.
   */
  check(offset: number, bytes: Uint8Array): void {
    const { start, stateBytes, crcs } = this.#checks;
    if (stateBytes === 0) return;
    const end = offset + bytes.byteLength;
    for (let state = Math.max(Math.floor((offset - start) / stateBytes), 0); state < crcs.length; state++) {
      const first = start + state * stateBytes;
      if (first >= end) return;
      if (first >= offset && first + stateBytes <= end) this.#compare(state, crc32(bytes.subarray(first - offset, first - offset + stateBytes)));
      else if (!this.#checked.has(state)) {
        this.#compare(state, this.#crcFrom(first));
        this.#checked.add(state);
      }
    }
  }

  #crcFrom(first: number): number {
    const { stateBytes, rowBytes } = this.#checks;
    const piece = new Uint8Array(Math.min(Math.max(Math.floor(pieceBytes / rowBytes), 1) * rowBytes, stateBytes));
    let crc = 0;
    for (let done = 0; done < stateBytes; done += piece.length) {
      const part = piece.subarray(0, stateBytes - done);
      this.#read(first + done, part);
      crc = crc32(part, crc);
    }
    return crc;
  }

  #compare(state: number, crc: number): void {
    if (crc === this.#checks.crcs[state] || crc === crcInIndex(this.#checks.index, state)) return;
    throw damagedState(this.#path, this.#checks, state, crc);
  }
}

/** The checksum that the index has now: a run that is resumed with `--allow-inexact` records steps again while others read them. */
function crcInIndex(path: string, state: number): number | undefined {
  const file = new FileBytes(path);
  try {
    const record = Buffer.from(file.read(state * indexRecordBytes, indexRecordBytes, "a record"));
    return isSoundRecord(record, 0) ? crcOfRecord(record, 0) : undefined;
  } finally {
    file.close();
  }
}

/** The error for a snapshot whose bytes have another checksum than the one that was recorded. */
function damagedState(path: string, checks: StateChecks, state: number, crc: number): BhBridgeError {
  const step = checks.steps?.[state] ?? state;
  const bit = flippedBit(crc ^ (checks.crcs[state] ?? 0), checks.stateBytes);
  const where = bit === undefined ? unknownBits(checks) : oneBit(checks, state, bit);
  return new BhBridgeError(
    "RUN_CORRUPT",
    `${path} is damaged at step ${step}, ${where}. List all damage with "bh-bridge runs verify", then restore the file from a copy or train the run again`,
  );
}

function oneBit({ rowBytes, itemBytes, rowName, tokens, start, stateBytes }: StateChecks, state: number, bit: number): string {
  const byte = Math.floor(bit / 8);
  const row = Math.floor(byte / rowBytes);
  const component = Math.floor((byte % rowBytes) / itemBytes);
  const name = `${rowName} ${(rowName === "token" ? tokens?.[row] : undefined) ?? row}`;
  return `${name}, component ${component}: its CRC-32 differs as one flipped bit makes it differ, bit ${bit % 8} of byte ${start + state * stateBytes + byte}`;
}

function unknownBits({ rowName }: StateChecks): string {
  return `${rowName} unknown: its CRC-32 is not the recorded one, and no single flipped bit explains the difference`;
}

/** The polynomial of CRC-32, lowest bit first, as a signed number. */
const polynomial = 0xedb88320 | 0;

/**
 * The only bit of a message that can have flipped, by the difference of its two checksums; undefined if no single bit explains the difference. A CRC is linear:
 * the difference depends on the flipped bits alone, and every bit of up to 512 MiB has its own. Searched from the last bit backwards.
 * @param difference exclusive or of both checksums.
 * @param bytes length of the message.
 * @returns the bit's number, counted from the lowest bit of the first byte.
 */
export function flippedBit(difference: number, bytes: number): number | undefined {
  let register = difference | 0;
  for (let behind = 1; behind <= bytes * 8; behind++) {
    register = register < 0 ? ((register ^ polynomial) << 1) | 1 : register << 1;
    if (register === 1) return bytes * 8 - behind;
  }
  return undefined;
}

/** Reads bytes that lie in a plain file, in a worker thread for example; those of a history are checked as everywhere. */
export class RawReader {
  readonly #file: FileBytes;
  readonly #offset: number;
  readonly #guard: StateGuard | undefined;

  /** @throws {BhBridgeError} as `FileBytes`. */
  constructor({ path, offset, checks }: RawBytes) {
    this.#file = new FileBytes(path);
    this.#offset = offset;
    this.#guard = checks && new StateGuard(path, checks, (position, target) => this.#file.readInto(position, target, "a snapshot"));
  }

  /** Fill `target` with the bytes from `position` of the elements on. @throws {BhBridgeError} `FORMAT_INVALID`, `IO_FAILED`, `RUN_CORRUPT`. */
  readInto(position: number, target: Uint8Array, what: string): void {
    this.#file.readInto(this.#offset + position, target, what);
    this.#guard?.check(this.#offset + position, target);
  }

  close(): void {
    this.#file.close();
  }
}
