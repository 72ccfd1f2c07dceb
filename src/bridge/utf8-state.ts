const continuation = { low: 0x80, high: 0xbf };
/** Second bytes that a first byte narrows, so that no character is written longer than needed, is a surrogate, or lies beyond U+10FFFF (RFC 3629). */
const narrowed: ReadonlyMap<number, typeof continuation> = new Map([
  [0xe0, { low: 0xa0, high: 0xbf }],
  [0xed, { low: 0x80, high: 0x9f }],
  [0xf0, { low: 0x90, high: 0xbf }],
  [0xf4, { low: 0x80, high: 0x8f }],
]);

/** Follows a text byte after byte, and tells which byte makes it something else than UTF-8. */
export class Utf8State {
  #missing = 0;
  #next = continuation;

  /** Whether the text ends here with a whole character. */
  get isWhole(): boolean {
    return this.#missing === 0;
  }

  /** Take the next byte; whether it may stand there. */
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
