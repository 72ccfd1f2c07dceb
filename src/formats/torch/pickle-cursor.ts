import type { BhBridgeError } from "../../errors.js";
import { formatInvalid } from "../file-bytes.js";

/** Python's integers have no bound; those that torch pickles (steps, seeds, shapes) take at most 9 bytes. */
const maxIntegerBytes = 1024;

/** The bytes of a pickle, read front to back; every length is checked before use. */
export class PickleCursor {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: string;
  readonly #base: number;

  /** @param base where the pickle begins in its file, so that errors name the file's offset. */
  constructor(bytes: Uint8Array, path: string, base: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
    this.#base = base;
  }

  fail(reason: string): BhBridgeError {
    return formatInvalid(this.#path, this.#base + this.position, `in its pickle, ${reason}`);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A 64-bit length, which cannot be longer than what follows. */
  length64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(this.#bytes.byteLength)) throw this.fail(`${value} bytes are announced, but the pickle has ${this.#bytes.byteLength}`);
    return Number(value);
  }

  /** The length of a frame, all of which must follow. */
  frame(): void {
    const length = this.length64();
    this.#advance(length);
    this.position -= length;
  }

  /** A big-endian float64. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A view on the next bytes. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const bytes = this.bytes(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw formatInvalid(this.#path, this.#base + this.position, "in its pickle, a string is not UTF-8 text", cause);
    }
  }

  /** The text up to the next line feed, which is consumed too; it may not be empty. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.fail("a line does not end");
    if (end === this.position) throw this.fail("a line is empty");
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }

  /** A little-endian two's-complement integer of any length; `bigint` only where a number would be inexact. */
  integer(length: number): number | bigint {
    if (length > maxIntegerBytes) throw this.fail(`an integer of ${length} bytes is announced; at most ${maxIntegerBytes} are read`);
    const bytes = this.bytes(length);
    if (length === 0) return 0;
    const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
    const value = BigInt.asIntN(8 * length, unsigned);
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  #advance(length: number): number {
    const start = this.position;
    if (length < 0 || start + length > this.#bytes.byteLength) throw this.fail(`${length} bytes are wanted, but ${this.#bytes.byteLength - start} are left`);
    this.position += length;
    return start;
  }
}

/**
 * What a pickle holds, as inert data. `null`, booleans, integers (`number`, or `bigint` beyond 2^53), strings and `Uint8Array` stand for
 * themselves; everything else is one of these classes, or what the reader's hooks made.
 */

/** A Python float, kept apart from integers: a shape of `2.0` is not a shape. */
export class PickleFloat {
  constructor(readonly value: number) {}
}

export class PickleList {
  readonly items: unknown[] = [];
}

export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

export class PickleSet {
  constructor(readonly items: unknown[]) {}
}

/** A dict of any class; keys are equal where Python's are (`True`, `1` and `1.0` are one key). */
export class PickleDict {
  readonly entries = new Map<unknown, unknown>();

  set(key: unknown, value: unknown): void {
    this.entries.set(canonicalKey(key), value);
  }
}

/** The name of a Python function or class. It is never looked up, imported or called. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  toString(): string {
    return `${this.module}.${this.name}`;
  }
}

/** A note that Python would have called something here; `state`, `items` and `dict` are what it would have been given afterwards. */
export class PickleInstance {
  state: unknown = null;
  readonly items: unknown[] = [];
  readonly dict = new PickleDict();

  constructor(
    readonly callable: unknown,
    readonly args: unknown,
  ) {}
}

function canonicalKey(key: unknown): unknown {
  if (typeof key === "boolean") return Number(key);
  return key instanceof PickleFloat && Number.isSafeInteger(key.value) ? key.value : key;
}
