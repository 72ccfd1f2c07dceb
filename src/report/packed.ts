import { deflateRawSync } from "node:zlib";

// What a report embeds goes into an e-mail: it is packed here, and a browser unpacks it by itself (`web/report/unpacked.ts`).

/** A text as base64 of its raw DEFLATE. */
export function packedText(text: string): string {
  return packed(Buffer.from(text, "utf8"));
}

/**
 * Frames of numbers, packed as what changes from one to the next: most of it is nothing or little.
 *
 * Each number is its difference from that of the frame before, modulo 2^16 and folded so that small differences of both signs are small (0, −1, 1, −2, …
 * become 0, 1, 2, 3, …); all low bytes come before all high bytes. Base64 of their raw DEFLATE.
 *
 * @param width numbers in a frame.
 */
export function packedFrames(numbers: Uint16Array, width: number): string {
  const bytes = new Uint8Array(2 * numbers.length);
  for (const [index, value] of numbers.entries()) {
    const difference = ((value - (numbers[index - width] ?? 0)) << 16) >> 16;
    const folded = (difference << 1) ^ (difference >> 15);
    bytes[index] = folded;
    bytes[numbers.length + index] = folded >> 8;
  }
  return packed(bytes);
}

function packed(bytes: Uint8Array): string {
  return deflateRawSync(bytes, { level: 9 }).toString("base64");
}
