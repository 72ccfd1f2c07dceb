/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8. */
const primes = Array.from({ length: 312 }, (_, number) => number).filter(
  (number) => number > 1 && !Array.from({ length: number }, (_, at) => at).some((at) => at > 1 && number % at === 0),
);
const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32);
const constants = Uint32Array.from(primes.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));
const start = Uint32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

const blockBytes = 64;

/** SHA-256 (FIPS 180-4) of bytes that arrive in pieces. The browser's own has no pieces, and is missing on pages without TLS. */
export class Sha256 {
  readonly #state = start.slice();
  readonly #block = new Uint8Array(blockBytes);
  readonly #words = new Uint32Array(64);
  #length = 0;

  add(bytes: Uint8Array): this {
    for (const byte of bytes) {
      this.#block[this.#length % blockBytes] = byte;
      if (++this.#length % blockBytes === 0) this.#mix();
    }
    return this;
  }

  /** The digest of everything so far, in hexadecimal digits. More can be added. */
  hex(): string {
    return Array.from(this.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  digest(): Uint8Array {
    const copy = new Sha256();
    copy.#state.set(this.#state);
    copy.#block.set(this.#block);
    copy.#length = this.#length;
    const bits = this.#length * 8;
    copy.add(Uint8Array.of(0x80));
    copy.add(new Uint8Array((2 * blockBytes - 8 - (copy.#length % blockBytes)) % blockBytes));
    const end = new DataView(new ArrayBuffer(8));
    end.setUint32(0, Math.floor(bits / 2 ** 32));
    end.setUint32(4, bits % 2 ** 32);
    copy.add(new Uint8Array(end.buffer));
    const digest = new DataView(new ArrayBuffer(32));
    for (const [index, word] of copy.#state.entries()) digest.setUint32(4 * index, word);
    return new Uint8Array(digest.buffer);
  }

  #mix(): void {
    const words = this.#words;
    const block = new DataView(this.#block.buffer);
    for (let at = 0; at < 16; at++) words[at] = block.getUint32(4 * at);
    for (let at = 16; at < 64; at++) {
      const [early, late] = [words[at - 15] ?? 0, words[at - 2] ?? 0];
      words[at] =
        (words[at - 16] ?? 0) + (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) + (words[at - 7] ?? 0) + (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10));
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.#state;
    for (let at = 0; at < 64; at++) {
      const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (constants[at] ?? 0) + (words[at] ?? 0)) | 0;
      const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) this.#state[index] = (this.#state[index] ?? 0) + word;
  }
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}
