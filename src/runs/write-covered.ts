import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { durableWrite } from "../formats/durable-write.js";
import { parseChecksums, readChecksumsText, sha256, writeChecksums } from "./checksums.js";

/**
 * Write a file of a run that may have ended, together with its checksum: after a crash at any instant the two fit.
 *
 * Checksums that are damaged are left as they are, for `verifyRun` to tell of.
 *
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`.
 */
export function writeCovered(directory: string, name: string, content: string): void {
  const path = join(directory, name);
  const sums = parseChecksums(readChecksumsText(directory) ?? "");
  if (!sums) {
    durableWrite(path, content);
    return;
  }
  const announced = sums.next.get(name);
  if (announced !== undefined && existsSync(path) && sha256(readFileSync(path)) === announced) sums.files.set(name, announced); // its writer got so far
  const sum = sha256(content);
  sums.next.set(name, sum);
  writeChecksums(directory, sums);
  durableWrite(path, content);
  sums.next.delete(name);
  sums.files.set(name, sum);
  writeChecksums(directory, sums);
}
