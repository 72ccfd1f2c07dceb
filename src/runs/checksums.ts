import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { durableWrite } from "../formats/durable-write.js";
import { FileBytes, readWhole } from "../formats/file-bytes.js";
import { requireRegular } from "./file-types.js";
import { runFiles } from "./run-layout.js";

/** What `SHA256SUMS` of a run says: SHA-256 by the path of a file in the run. */
export interface Checksums {
  /** Whole files. */
  readonly files: Map<string, string>;
  /** Histories as far as their states, which have checksums of their own. */
  readonly heads: Map<string, string>;
  /** What files are about to become: whoever writes one dies before or after the change, and both are right. */
  readonly next: Map<string, string>;
}

const about = "# sha256sum -c SHA256SUMS checks the files below; #head: the first 4104 bytes of a history, the index has its states; #self: the lines above it";
const line = /^(?:(#head|#next) )?([0-9a-f]{64}) {2}(.+)$/;

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Large enough that reading costs nothing beside hashing. */
const chunkBytes = 1 << 20;

/** SHA-256 of a file, or of its first `bytes`, in hexadecimal digits; memory does not grow with it. @throws {BhBridgeError} as `FileBytes`. */
export function sha256OfFile(path: string, bytes = Number.POSITIVE_INFINITY): string {
  const hash = createHash("sha256");
  const file = new FileBytes(path);
  try {
    const end = Math.min(bytes, file.size);
    const chunk = Buffer.allocUnsafe(Math.min(end, chunkBytes));
    for (let at = 0; at < end; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      file.readInto(at, part, "its content");
      hash.update(part);
    }
  } finally {
    file.close();
  }
  return hash.digest("hex");
}

/** The text of `SHA256SUMS`; its last line is the checksum of those before. */
function checksumsText({ files, heads, next }: Checksums): string {
  const lines = (sums: ReadonlyMap<string, string>, label: string) => [...sums].sort(byPath).map(([path, sum]) => `${label}${sum}  ${path}\n`);
  const text = [`${about}\n`, ...lines(files, ""), ...lines(heads, "#head "), ...lines(next, "#next ")].join("");
  return `${text}#self ${sha256(text)}\n`;
}

/** Take the text of `SHA256SUMS` apart; nothing when a single character is not as it was written. */
export function parseChecksums(text: string): Checksums | undefined {
  const sums: Checksums = { files: new Map(), heads: new Map(), next: new Map() };
  const places: Readonly<Record<string, Map<string, string>>> = { "#head": sums.heads, "#next": sums.next };
  for (const each of text.split("\n").slice(1, -2)) {
    const [, label = "", sum, path] = line.exec(each) ?? [];
    if (sum !== undefined && path !== undefined) (places[label] ?? sums.files).set(path, sum);
  }
  return checksumsText(sums) === text ? sums : undefined;
}

/** A line takes 100 bytes or so, and a run has some dozens of files. */
const mostChecksumsBytes = 16 * 2 ** 20;

/** The text of a run's `SHA256SUMS`; nothing in a run that has none. @throws {BhBridgeError} `RUN_CORRUPT` where something else than a file is there; as `readWhole`. */
export function readChecksumsText(directory: string): string | undefined {
  const path = join(directory, runFiles.checksums);
  requireRegular(path);
  try {
    return readWhole(path, mostChecksumsBytes).toString("utf8");
  } catch (cause) {
    if (cause instanceof BhBridgeError && cause.code === "FILE_NOT_FOUND") return undefined;
    throw cause;
  }
}

/**
 * Make sure that files of a run which has ended are as they were when it ended; a run that has not ended has no checksums of whole files.
 *
 * @param names paths in the run; one that is not there is passed over.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the file.
 */
export function requireUnchanged(directory: string, ...names: readonly string[]): void {
  const text = readChecksumsText(directory);
  const sums = text === undefined ? undefined : parseChecksums(text); // damaged ones are for `verifyRun` to report
  for (const name of names) {
    const accepted = [sums?.files.get(name), sums?.next.get(name)].filter((sum) => sum !== undefined);
    const path = join(directory, name);
    if (accepted.length === 0 || !existsSync(path) || accepted.includes(sha256OfFile(path))) continue;
    if (readChecksumsText(directory) !== text) return; // the run goes on, or somebody wrote a note
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: its SHA-256 is not the one in ${join(directory, runFiles.checksums)}. Restore it from a copy`);
  }
}

/** Write `SHA256SUMS` of a run. @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`. */
export function writeChecksums(directory: string, sums: Checksums): void {
  durableWrite(join(directory, runFiles.checksums), checksumsText(sums));
}

/**
 * Write a file of a run that may have ended, together with its checksum: after a crash at any instant the two fit.
 *
 * Checksums that are damaged are left as they are, for `verifyRun` to tell of.
 *
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`; `RUN_CORRUPT` where something else than a file is in its place.
 */
export function writeCovered(directory: string, name: string, content: string): void {
  const path = join(directory, name);
  requireRegular(path);
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

function byPath([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : 1;
}
