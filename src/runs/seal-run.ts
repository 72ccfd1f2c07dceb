import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { syncPath } from "../formats/durable-write.js";
import { type Checksums, parseChecksums, readChecksumsText, sha256OfFile, writeChecksums } from "./checksums.js";
import { historyHeadBytes } from "./history-index.js";
import { filesIn, isHistoryFile, isLaterHistory, isRunFile, requireRunEntries, runFiles } from "./run-layout.js";
import { manifestSums } from "./verify-files.js";

/**
 * Write the checksums of a run that has ended, of everything that it consists of; a run that has them keeps them.
 *
 * Everything is on the disk before its checksum is. The states of a history are not read again, nor are the files of a checkpoint: index and manifest,
 * which are covered here, have their checksums from when they were written.
 *
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`.
 */
export function sealRun(directory: string): void {
  if (existsSync(join(directory, runFiles.checksums))) return;
  requireRunEntries(directory);
  const sums: Checksums = { files: new Map(), heads: new Map(), next: new Map() };
  for (const path of filesIn(directory).filter(isRunFile)) {
    if (path === runFiles.lock) continue;
    syncPath(join(directory, path));
    addChecksum(directory, path, sums);
  }
  writeChecksums(directory, sums);
}

/**
 * Add files that came to a run after its end to its checksums. A run that has none yet gets them at its end; damaged ones are left for `verifyRun` to tell of.
 *
 * @param paths in the run; the files are on the disk.
 * @throws {BhBridgeError} as `sealRun`.
 */
export function coverFiles(directory: string, paths: readonly string[]): void {
  const sums = parseChecksums(readChecksumsText(directory) ?? "");
  if (!sums) return;
  for (const path of paths) addChecksum(directory, path, sums);
  writeChecksums(directory, sums);
}

/** What was recorded later is covered whole: beside its states it can hold tokens, which no index covers. */
function addChecksum(directory: string, path: string, sums: Checksums): void {
  const file = join(directory, path);
  if (isHistoryFile(path) && !isLaterHistory(path)) sums.heads.set(path, sha256OfFile(file, historyHeadBytes));
  else sums.files.set(path, manifestSums(dirname(file)).get(basename(path)) ?? sha256OfFile(file));
}
