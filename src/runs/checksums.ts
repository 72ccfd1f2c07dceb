import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { BhBridgeError, withFallback } from "../errors.js";
import { durableWrite, syncPath } from "../formats/durable-write.js";
import { FileBytes } from "../formats/file-bytes.js";
import { isThere, readWhole, requireFolder, requireRegular } from "./file-types.js";
import { historyHeadBytes } from "./history-index.js";
import { filesIn, isHistoryFile, isLaterHistory, isRunFile, modelManifestFile, requireRunEntries, runFiles } from "./run-layout.js";

/** The content of a run's `SHA256SUMS`: SHA-256 by the path of a file in the run. */
export interface Checksums {
  /** Whole files. */
  readonly files: Map<string, string>;
  /** Heads of histories; their states have checksums in the index. */
  readonly heads: Map<string, string>;
  /** Files before a change: after a crash, both the old and the new checksum are valid. */
  readonly next: Map<string, string>;
}

const about = "# sha256sum -c SHA256SUMS checks the files below; #head: the first 4104 bytes of a history, the index has its states; #self: the lines above it";
const line = /^(?:(#head|#next) )?([0-9a-f]{64}) {2}(.+)$/;

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Large enough that reading is cheap relative to hashing. */
const chunkBytes = 1 << 20;

/** SHA-256 of a file, or of its first `bytes`, in hexadecimal digits, with constant memory. @throws {BhBridgeError} as `FileBytes`. */
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

/** The text of `SHA256SUMS`; its last line is the checksum of the lines before. */
function checksumsText({ files, heads, next }: Checksums): string {
  const lines = (sums: ReadonlyMap<string, string>, label: string) => [...sums].sort(byPath).map(([path, sum]) => `${label}${sum}  ${path}\n`);
  const text = [`${about}\n`, ...lines(files, ""), ...lines(heads, "#head "), ...lines(next, "#next ")].join("");
  return `${text}#self ${sha256(text)}\n`;
}

/** Parse the text of `SHA256SUMS`; undefined if a single character has changed. */
export function parseChecksums(text: string): Checksums | undefined {
  const sums: Checksums = { files: new Map(), heads: new Map(), next: new Map() };
  const labelled: Readonly<Record<string, Map<string, string>>> = { "#head": sums.heads, "#next": sums.next };
  for (const each of text.split("\n").slice(1, -2)) {
    const [, label = "", sum, path] = line.exec(each) ?? [];
    if (sum !== undefined && path !== undefined) (labelled[label] ?? sums.files).set(path, sum);
  }
  return checksumsText(sums) === text ? sums : undefined;
}

/** A line has about 100 bytes, and a run some dozens of files. */
const mostChecksumsBytes = 16 * 2 ** 20;

/** The text of a run's `SHA256SUMS`, undefined if it has none. @throws {BhBridgeError} `RUN_CORRUPT` if it is not a file; as `readWhole`. */
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
 * Require that files of an ended run are unchanged; a run that has not ended has no checksums of whole files.
 * @param names paths in the run; missing files are skipped.
 * @throws {BhBridgeError} `RUN_CORRUPT` naming the file.
 */
export function requireUnchanged(directory: string, ...names: readonly string[]): void {
  const text = readChecksumsText(directory);
  const sums = text === undefined ? undefined : parseChecksums(text); // `verifyRun` reports damaged checksums
  for (const name of names) {
    const accepted = [sums?.files.get(name), sums?.next.get(name)].filter((sum) => sum !== undefined);
    const path = join(directory, name);
    if (accepted.length === 0 || !existsSync(path) || accepted.includes(sha256OfFile(path))) continue;
    if (readChecksumsText(directory) !== text) return; // the run is resumed, or a note was written
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: its SHA-256 is not the one in ${join(directory, runFiles.checksums)}. Restore it from a copy`);
  }
}

/** Write `SHA256SUMS` of a run. @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`. */
export function writeChecksums(directory: string, sums: Checksums): void {
  durableWrite(join(directory, runFiles.checksums), checksumsText(sums));
}

/**
 * Write a file of a run that may have ended, together with its checksum: both agree after a crash at any instant. Damaged checksums are left for `verifyRun`.
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`; `RUN_CORRUPT` if the path is not a file.
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
  if (announced !== undefined && existsSync(path) && sha256(readFileSync(path)) === announced) sums.files.set(name, announced); // an earlier write was interrupted after this change
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

const manifestFormat = 1;
/** A few hundred bytes per file; the largest models have about 200 files. */
const mostManifestBytes = 16 * 2 ** 20;

const manifestSchema = z.looseObject({
  format: z.int(),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});

/** Problems of a directory with a MANIFEST.json (a checkpoint, the final model), by size and SHA-256 of every file. */
export function verifyFiles(directory: string): string[] {
  const folderProblem = refusalOf(() => requireFolder(directory));
  if (folderProblem !== undefined) return [folderProblem];
  const path = join(directory, modelManifestFile);
  if (!isThere(path)) return [`${path} is missing`];
  const parsed = parseManifest(path);
  if (!parsed.success) return [`${path} is damaged: ${parsed.error.message}`];
  const { format, files } = parsed.data;
  if (format > manifestFormat) return [`${path} has format ${format}, this bh-bridge reads up to ${manifestFormat}: install a newer one`];
  const problems = Object.entries(files).flatMap(([name, { size, sha256 }]) => problemOf(join(directory, name), size, sha256) ?? []);
  const known = new Set([...Object.keys(files), modelManifestFile]);
  return [...problems, ...readdirSync(directory).flatMap((name) => (known.has(name) ? [] : [`${join(directory, name)} is not in the manifest`]))];
}

function problemOf(file: string, size: number, sha256: string): string | undefined {
  if (!isThere(file)) return `${file} is missing`;
  return problemIn(() => {
    requireRegular(file);
    const found = statSync(file).size;
    if (found !== size) return `${file} has ${found} bytes, its manifest says ${size}`;
    return sha256OfFile(file) === sha256 ? undefined : `${file} is damaged: its SHA-256 is not the manifest's`;
  });
}

/** The message of the error of an operation, undefined if it succeeds. */
export function refusalOf(operation: () => void): string | undefined {
  return problemIn(() => {
    operation();
    return undefined;
  });
}

/** The result of a check, or the message of its error. */
export function problemIn(check: () => string | undefined): string | undefined {
  return withFallback(check, ({ message }) => message);
}

/** The SHA-256 of each file of such a directory by its manifest, empty without a valid manifest. */
export function manifestSums(directory: string): Map<string, string> {
  const path = join(directory, modelManifestFile);
  const parsed = existsSync(path) ? parseManifest(path) : undefined;
  return new Map(parsed?.success ? Object.entries(parsed.data.files).map(([name, { sha256 }]) => [name, sha256]) : []);
}

function parseManifest(path: string) {
  try {
    requireRegular(path);
    return manifestSchema.safeParse(JSON.parse(readWhole(path, mostManifestBytes).toString("utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BhBridgeError)) throw error;
    return { success: false as const, error };
  }
}

/**
 * Write the checksums of all files of an ended run, unless it has them already.
 *
 * Each file is synced before its checksum is written. States of histories and files of checkpoints are not read again, since index and manifest, which are
 * covered here, contain their checksums.
 * @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`.
 */
export function sealRun(directory: string): void {
  if (existsSync(join(directory, runFiles.checksums))) return;
  requireRunEntries(directory);
  const sums: Checksums = { files: new Map(), heads: new Map(), next: new Map() };
  for (const path of filesIn(directory).filter(isRunFile)) {
    if (path === runFiles.lock || path === runFiles.signature) continue;
    syncPath(join(directory, path));
    addChecksum(directory, path, sums);
  }
  writeChecksums(directory, sums);
}

/**
 * Add files that were created after the end of a run to its checksums. Missing checksums are written at the end of the run; damaged ones are left for
 * `verifyRun`.
 * @param paths in the run; the files are synced.
 * @throws {BhBridgeError} as `sealRun`.
 */
export function coverFiles(directory: string, paths: readonly string[]): void {
  const sums = parseChecksums(readChecksumsText(directory) ?? "");
  if (!sums) return;
  for (const path of paths) addChecksum(directory, path, sums);
  writeChecksums(directory, sums);
}

/**
 * Add the SHA-256 of whole histories to the checksums of an ended run. Damage of a state is found by its CRC-32, but a signature has to exclude a change on
 * purpose, which can keep a CRC-32.
 * @throws {BhBridgeError} as `sealRun`.
 */
export function coverHistories(directory: string): void {
  const sums = parseChecksums(readChecksumsText(directory) ?? "");
  const missing = [...(sums?.heads.keys() ?? [])].filter((path) => sums?.files.has(path) === false);
  if (!sums || missing.length === 0) return;
  for (const path of missing) sums.files.set(path, sha256OfFile(join(directory, path)));
  writeChecksums(directory, sums);
}

/** A history that was recorded later is covered whole, since it can contain tokens, which no index covers. */
function addChecksum(directory: string, path: string, sums: Checksums): void {
  const file = join(directory, path);
  if (isHistoryFile(path) && !isLaterHistory(path)) sums.heads.set(path, sha256OfFile(file, historyHeadBytes));
  else sums.files.set(path, manifestSums(dirname(file)).get(basename(path)) ?? sha256OfFile(file));
}
