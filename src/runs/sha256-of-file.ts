import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** Large enough that reading costs nothing beside hashing. */
const chunkBytes = 1 << 20;

/** SHA-256 of a file, or of its first `bytes`, in hexadecimal digits; memory does not grow with it. */
export function sha256OfFile(path: string, bytes = Number.POSITIVE_INFINITY): string {
  const hash = createHash("sha256");
  const chunk = Buffer.allocUnsafe(Math.min(bytes, chunkBytes));
  const descriptor = openSync(path, "r");
  try {
    for (let left = bytes; left > 0; ) {
      const read = readSync(descriptor, chunk, 0, Math.min(left, chunk.length), null);
      if (read === 0) break;
      hash.update(chunk.subarray(0, read));
      left -= read;
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}
