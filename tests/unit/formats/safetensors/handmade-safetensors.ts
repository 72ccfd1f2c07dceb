import { writeFileSync } from "node:fs";

/** Write a file with this header text and these data bytes. @param headerBytes what it says of the header's length, where that is not so. @returns its path. */
export function handmadeSafetensors(path: string, header: string | Uint8Array, data: Uint8Array = new Uint8Array(), headerBytes?: bigint): string {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerBytes ?? BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, data]));
  return path;
}
