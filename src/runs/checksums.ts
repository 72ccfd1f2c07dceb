import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../errors.js";
import { durableWrite, syncPath } from "../formats/durable-write.js";
import { FileBytes, readWhole } from "../formats/file-bytes.js";
import { isThere, requireFolder, requireRegular } from "./file-types.js";
import { historyHeadBytes } from "./history-index.js";
import { filesIn, isHistoryFile, isLaterHistory, isRunFile, modelManifestFile, requireRunEntries, runFiles } from "./run-layout.js";

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
    return Buffer.from(readWhole(path, mostChecksumsBytes).buffer).toString("utf8");
  } catch (cause) {
    if (cause instanceof BhBridgeError && cause.code === "FILE_NOT_FOUND") return undefined;
    throw cause;
  }
}

/**
 * Make sure that files of a run which has ended are as they were when it ended; a run that has not ended has no checksums of whole files.
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

const manifestFormat = 1;
/** Some hundred bytes for each file of a model, of which the largest have about 200. */
const mostManifestBytes = 16 * 2 ** 20;

const manifestSchema = z.looseObject({
  format: z.int(),
  files: z.record(z.string(), z.strictObject({ size: z.int().nonnegative(), sha256: z.string() })),
});

/** What is wrong with a directory that carries a MANIFEST.json (a checkpoint, the final model): every size and SHA-256 is checked. */
export function verifyFiles(directory: string): string[] {
  const folderProblem = refusalOf(() => requireFolder(directory));
  if (folderProblem !== undefined) return [folderProblem];
  const path = join(directory, modelManifestFile);
  if (!isThere(path)) return [`${path} is missing`];
  const parsed = parseManifest(path);
  if (!parsed.success) return [`${path} is damaged: ${parsed.error.message}`];
  const { format, files } = parsed.data;
  if (format > manifestFormat) return [`${path} has format ${format}, this bh-bridge reads up to ${manifestFormat}: install a newer one`];
  const problems: string[] = [];
  for (const [name, { size, sha256 }] of Object.entries(files)) {
    const file = join(directory, name);
    const problem = problemOf(file, size, sha256);
    if (problem !== undefined) problems.push(problem);
  }
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

/** What an operation is refused for, in words; nothing when it succeeds. */
export function refusalOf(operation: () => void): string | undefined {
  return problemIn(() => {
    operation();
    return undefined;
  });
}

/** What a check says, or the error that it ended with. */
export function problemIn(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof BhBridgeError) return error.message;
    throw error;
  }
}

/** The SHA-256 of each file of such a directory, as its manifest has them; nothing where there is no sound manifest. */
export function manifestSums(directory: string): Map<string, string> {
  const path = join(directory, modelManifestFile);
  const parsed = existsSync(path) ? parseManifest(path) : undefined;
  return new Map(parsed?.success ? Object.entries(parsed.data.files).map(([name, { sha256 }]) => [name, sha256]) : []);
}

function parseManifest(path: string) {
  try {
    requireRegular(path);
    return manifestSchema.safeParse(JSON.parse(Buffer.from(readWhole(path, mostManifestBytes).buffer).toString("utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BhBridgeError)) throw error;
    return { success: false as const, error };
  }
}

/**
 * Write the checksums of a run that has ended, of everything that it consists of; a run that has them keeps them.
 *
 * Everything is on the disk before its checksum is. The states of a history are not read again, nor are the files of a checkpoint: index and manifest, which
 * are covered here, have their checksums from when they were written.
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
