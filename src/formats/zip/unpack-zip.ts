import { createWriteStream, mkdirSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { BhBridgeError } from "../../errors.js";
import { type FileBytes, formatInvalid } from "../file-bytes.js";
import type { ZipArchive } from "./zip-archive.js";
import type { ZipEntry } from "./zip-directory.js";

const stored = 0;
const deflated = 8;
const pieceBytes = 2 ** 20;
/** The bits of a mode that tell what a file is, and the type of a plain one and of a folder. */
const typeBits = 0o170000;
const plainTypes: readonly number[] = [0, 0o100000, 0o040000];
/** A part of a path: no parent, no drive, nothing that a system or a terminal takes for something else. */
const plainPart = /^(?!\.{1,2}$)[^/\\:\p{Cc}]{1,255}$/u;
const mostParts = 16;
const mostFiles = 50_000;
/** What macOS puts beside the files of an archive. */
const foreign = /(?:^|\/)(?:__MACOSX\/|\.DS_Store$)/;

/**
 * Unpack all files of an archive into a folder that is empty. Nothing is written before all names and sizes are found sound: paths stay in the folder, links
 * are refused, and so is more than the disk has room for. A file that turns out longer than the archive says is cut short and refused.
 * @param mostBytes of all files together.
 * @throws {BhBridgeError} `FORMAT_INVALID` for damage, links, and names that lead elsewhere; `FORMAT_UNSUPPORTED` for what is compressed otherwise than by
 *   DEFLATE, or too large; `DISK_FULL`; `ABORTED`.
 */
export async function unpackZip(file: FileBytes, archive: ZipArchive, folder: string, mostBytes: number, signal?: AbortSignal): Promise<void> {
  const entries = [...archive.entries.values()].filter(({ name }) => !name.endsWith("/") && !foreign.test(name));
  for (const entry of entries) requireSound(file.path, entry);
  requireRoom(file.path, entries, folder, mostBytes);
  for (const entry of entries) {
    if (signal?.aborted) throw new BhBridgeError("ABORTED", `the unpacking of ${file.path} was aborted`);
    await unpackEntry(file, archive, entry, folder);
  }
}

function requireSound(path: string, { name, method, mode, headerOffset }: ZipEntry): void {
  const parts = name.split("/");
  if (parts.length > mostParts || !parts.every((part) => plainPart.test(part)))
    throw formatInvalid(path, headerOffset, `the archive holds ${JSON.stringify(name)}, which is not the plain path of a file in a folder`);
  if (!plainTypes.includes(mode & typeBits)) throw formatInvalid(path, headerOffset, `"${name}" is a link or a device; archives of files alone are opened`);
  if (method !== stored && method !== deflated) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${path}: "${name}" is compressed by method ${method}. Pack it again with zip, which takes DEFLATE`);
  }
}

function requireRoom(path: string, entries: readonly ZipEntry[], folder: string, mostBytes: number): void {
  if (entries.length > mostFiles) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${path} holds ${entries.length} files; at most ${mostFiles} are unpacked`);
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (bytes > mostBytes) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${path} holds ${bytes} bytes; at most ${mostBytes} are unpacked. Unpack it, and give its folder`);
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bytes > bavail * bsize) {
    throw new BhBridgeError("DISK_FULL", `${path} holds ${bytes} bytes, and ${folder} has room for ${bavail * bsize}. Set TMPDIR to a folder with more`);
  }
}

async function unpackEntry(file: FileBytes, archive: ZipArchive, entry: ZipEntry, folder: string): Promise<void> {
  const { name, bytes, storedBytes, method, crc } = entry;
  const start = archive.startOf(entry);
  const fail = (reason: string, cause?: unknown) => formatInvalid(file.path, start, `"${name}" ${reason}`, cause);
  const path = join(folder, ...name.split("/"));
  function* pieces(): Generator<Uint8Array> {
    for (let at = 0; at < storedBytes; at += pieceBytes) yield file.read(start + at, Math.min(pieceBytes, storedBytes - at), name);
  }
  let length = 0;
  let sum = 0;
  async function* checked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of source) {
      length += piece.length;
      if (length > bytes) throw fail(`goes on after the ${bytes} bytes that it is said to have`);
      sum = crc32(piece, sum);
      yield piece;
    }
  }
  try {
    mkdirSync(dirname(path), { recursive: true });
    const target = createWriteStream(path, { flags: "wx" }); // never over another file: two names can be one on some disks
    const source = Readable.from(pieces(), { objectMode: true, highWaterMark: 1 });
    if (method === stored) await pipeline(source, checked, target);
    else await pipeline(source, createInflateRaw(), checked, target);
  } catch (cause) {
    if (cause instanceof BhBridgeError) throw cause;
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (code === "ENOSPC") throw new BhBridgeError("DISK_FULL", `${folder} is full: ${file.path} cannot be unpacked`, { cause });
    if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") throw fail("has the place of another file of the archive", cause);
    throw fail(`cannot be unpacked (${code || String(cause)})`, cause);
  }
  if (length !== bytes || sum !== crc) throw fail("is damaged: its checksum is another");
}
