import { isUtf8 } from "node:buffer";
import { asciiTokens, mostByteTokens } from "../config/record-schema.js";
import { BhBridgeError } from "../errors.js";

const continuation = { low: 0x80, high: 0xbf };
/** First bytes that restrict the second byte: no overlong forms, no surrogates, nothing beyond U+10FFFF (RFC 3629). */
const narrowed: ReadonlyMap<number, typeof continuation> = new Map([
  [0xe0, { low: 0xa0, high: 0xbf }],
  [0xed, { low: 0x80, high: 0x9f }],
  [0xf0, { low: 0x90, high: 0xbf }],
  [0xf4, { low: 0x80, high: 0x8f }],
]);

/** Validates UTF-8 byte by byte. */
export class Utf8State {
  #missing = 0;
  #next = continuation;

  /** Whether the bytes so far end with a whole character. */
  get isWhole(): boolean {
    return this.#missing === 0;
  }

  /** Add the next byte; whether it is valid there. */
  take(byte: number): boolean {
    if (this.#missing > 0) {
      const { low, high } = this.#next;
      this.#missing--;
      this.#next = continuation;
      return byte >= low && byte <= high;
    }
    if (byte < 0x80) return true;
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#next = narrowed.get(byte) ?? continuation;
    return byte >= 0xc2 && byte <= 0xf4;
  }
}

const lineFeed = 10;
const carriageReturn = 13;
/** Continuation bytes of the longest character of UTF-8. */
const mostFurtherBytes = 3;

/** Position of an invalid byte in a text. */
export interface Misfit {
  byte: number;
  offset: number;
  line: number;
}

/** Byte counts of a text, added chunk by chunk: a gigabyte takes seconds, and no memory. */
export class TextCounts {
  /** Count of each byte, with all newlines as LF. */
  readonly counts = new Array<number>(mostByteTokens).fill(0);
  bytes = 0;
  notAscii = 0;
  firstNotAscii: Misfit | undefined;
  firstNotUtf8: Misfit | undefined;
  readonly #utf8 = new Utf8State();
  #endsWithReturn = false;

  /** Characters of UTF-8, a newline of two bytes as one. */
  get characters(): number {
    return this.counts.reduce((sum, count, byte) => (isFurtherByte(byte) ? sum : sum + count), 0);
  }

  /** Whether the text ends with a whole character. */
  get isWhole(): boolean {
    return this.#utf8.isWhole;
  }

  /** The next byte begins another document: what is between two documents is not between two bytes of one. */
  endDocument(): void {
    this.#endsWithReturn = false;
  }

  add(chunk: Uint8Array): void {
    const found = countBytes(chunk);
    const notAscii = found.subarray(asciiTokens).reduce((sum, count) => sum + count, 0);
    if (notAscii > 0 && !this.firstNotAscii) {
      this.firstNotAscii = this.#misfit(
        chunk,
        chunk.findIndex((byte) => byte >= asciiTokens),
      );
    }
    if ((notAscii > 0 || !this.isWhole) && !this.firstNotUtf8) this.#checkUtf8(chunk);
    const returns = found[carriageReturn] ?? 0;
    const pairs = returns > 0 || this.#endsWithReturn ? this.#countPairs(chunk, chunk.length) : 0;
    for (const [byte, count] of found.entries()) this.counts[byte] = (this.counts[byte] ?? 0) + count;
    this.counts[carriageReturn] = 0;
    this.counts[lineFeed] = (this.counts[lineFeed] ?? 0) + returns - pairs;
    this.notAscii += notAscii;
    if (chunk.length > 0) this.#endsWithReturn = chunk.at(-1) === carriageReturn;
    this.bytes += chunk.length;
  }

  /** Find the first byte that is not UTF-8. The characters at both ends, which can cross chunks, are checked byte by byte. */
  #checkUtf8(chunk: Uint8Array): void {
    let start = 0;
    while (start < chunk.length && !this.isWhole) if (!this.#takes(chunk, start++)) return;
    let end = chunk.length;
    while (end > start && end > chunk.length - mostFurtherBytes && isFurtherByte(chunk[end - 1] ?? 0)) end--;
    if (end > start && (chunk[end - 1] ?? 0) >= asciiTokens) end--;
    if (isUtf8(chunk.subarray(start, end))) start = end;
    while (start < chunk.length) if (!this.#takes(chunk, start++)) return;
  }

  #takes(chunk: Uint8Array, index: number): boolean {
    const takes = this.#utf8.take(chunk[index] ?? 0);
    if (!takes) this.firstNotUtf8 = this.#misfit(chunk, index);
    return takes;
  }

  #misfit(chunk: Uint8Array, index: number): Misfit {
    const before = countBytes(chunk.subarray(0, index));
    const lineEnds = (before[lineFeed] ?? 0) + (before[carriageReturn] ?? 0) - this.#countPairs(chunk, index);
    return { byte: chunk[index] ?? 0, offset: this.bytes + index, line: 1 + (this.counts[lineFeed] ?? 0) + lineEnds };
  }

  /** Line feeds before `end` that follow a carriage return: CRLF is one newline. */
  #countPairs(chunk: Uint8Array, end: number): number {
    let pairs = this.#endsWithReturn && end > 0 && chunk[0] === lineFeed ? 1 : 0;
    for (let at = chunk.indexOf(carriageReturn); at !== -1 && at + 1 < end; at = chunk.indexOf(carriageReturn, at + 1)) if (chunk[at + 1] === lineFeed) pairs++;
    return pairs;
  }
}

/** The error for a text that is not ASCII. @param total number of such bytes. */
export function notAscii(path: string, misfit: Misfit, total: number): BhBridgeError {
  const message = `${path} is not ASCII: ${positionOf(misfit)} (${total} such bytes in all). ${asciiRemedy}`;
  return new BhBridgeError("CORPUS_INVALID", message, { offset: misfit.offset });
}

/** What to do about a text that is not ASCII. */
export const asciiRemedy = `Convert it, for example with: iconv -t ASCII//TRANSLIT. Or set model.vocab_size to ${mostByteTokens} to train on the bytes of UTF-8`;

/** The error for a text that is not UTF-8. @param misfit undefined if it ends within a character. */
export function notUtf8(path: string, misfit: Misfit | undefined): BhBridgeError {
  const position = misfit ? positionOf(misfit) : "it ends within a character";
  const message = `${path} is not UTF-8: ${position}. Convert it, for example with: iconv -f LATIN1 -t UTF-8`;
  return new BhBridgeError("CORPUS_INVALID", message, misfit && { offset: misfit.offset });
}

function positionOf({ byte, offset, line }: Misfit): string {
  return `byte 0x${byte.toString(16)} at offset ${offset}, line ${line}`;
}

/** Whether a byte continues a character: its first bits are 10. */
function isFurtherByte(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function countBytes(chunk: Uint8Array): Uint32Array {
  const counts = new Uint32Array(mostByteTokens);
  for (let index = 0; index < chunk.length; index++) {
    const byte = chunk[index] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
  }
  return counts;
}
