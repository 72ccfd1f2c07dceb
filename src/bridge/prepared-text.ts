import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BhBridgeError } from "../errors.js";
import { syncPath, writeAll, writeError } from "../formats/durable-write.js";
import { type DocumentPart, readDocuments } from "../formats/text/read-documents.js";
import { isTokenArray, type TextFile, textFiles } from "../formats/text/text-files.js";
import { sha256OfFile } from "../runs/checksums.js";
import { notUtf8, TextCounts } from "./text-counts.js";

/** Separates the documents of a prepared text: UTF-8 never contains it. Python reads it in `documents.py`. */
export const separator = 0xff;

/** Raised when the content of a prepared text changes. */
const version = 1;
const keptMs = 30 * 24 * 3_600_000;
const bufferBytes = 1 << 20;

/**
 * The path of a text as one file of UTF-8 with its documents separated by `separator`. A plain text is such a file already, as is a file of token ids to Python;
 * other forms are written into the cache, by the hash of their files.
 * @throws {BhBridgeError} `CORPUS_INVALID` with file and line of damage; `FILE_UNWRITABLE`, `DISK_FULL`; `ABORTED`.
 */
export async function preparedText(path: string, field: string, signal?: AbortSignal): Promise<string> {
  if (isTokenArray(path)) return path;
  const files = textFiles(path);
  const [only] = files;
  if (only && files.length === 1 && only.form === "plain" && only.compression === null) return only.path;
  const made = [version, field, ...files.map((file) => [file.form, file.compression, hashOf(file)])];
  const folder = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "bh-bridge", "texts");
  const target = join(folder, createHash("sha256").update(JSON.stringify(made)).digest("hex"));
  if (existsSync(target)) utimesSync(target, new Date(), new Date());
  else await write(target, folder, documentsIn(files, field, signal), path, signal);
  return target;
}

function hashOf({ path }: TextFile): string {
  try {
    return sha256OfFile(path);
  } catch (cause) {
    throw new BhBridgeError(
      "CORPUS_INVALID",
      `cannot read the corpus ${path}: ${(cause as Error).message}. Give a text with data.corpus (--corpus on the command line)`,
      { cause },
    );
  }
}

async function* documentsIn(files: readonly TextFile[], field: string, signal: AbortSignal | undefined): AsyncGenerator<DocumentPart[]> {
  for (const file of files) {
    const text = new TextCounts();
    for await (const parts of readDocuments(file, field, signal)) {
      if (file.form === "plain") for (const part of parts) requireUtf8(text, part, file.path);
      yield parts;
    }
  }
}

/** A file of text may be in any encoding; the other forms have checked theirs. */
function requireUtf8(text: TextCounts, { text: bytes, ends }: DocumentPart, path: string): void {
  text.add(bytes);
  if (text.firstNotUtf8 || (ends && !text.isWhole)) throw notUtf8(path, text.firstNotUtf8);
}

/** Write the documents that have a text, complete or not at all: another process may prepare the same text. */
async function write(target: string, folder: string, documents: AsyncIterable<DocumentPart[]>, path: string, signal: AbortSignal | undefined): Promise<void> {
  const temporary = `${target}.${randomBytes(4).toString("hex")}.partial`;
  let descriptor: number | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    removeUnused(folder);
    descriptor = openSync(temporary, "wx");
    for await (const bytes of separated(documents)) {
      if (signal?.aborted) break;
      writeAll(descriptor, bytes);
    }
    if (!signal?.aborted) {
      syncPath(temporary);
      renameSync(temporary, target);
      return;
    }
  } catch (cause) {
    if (!signal?.aborted) throw cause instanceof BhBridgeError ? cause : writeError(target, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
    rmSync(temporary, { force: true });
  }
  throw new BhBridgeError("ABORTED", `reading ${path} was cancelled`, { cause: signal?.reason });
}

/** Where a document of a prepared text comes from, such as `a.jsonl:3`. @param index of the document. */
export async function originOf(path: string, field: string, index: number): Promise<string> {
  let documents = 0;
  let isOpen = false;
  for await (const parts of documentsIn(textFiles(path), field, undefined)) {
    for (const { text, ends, at } of parts) {
      isOpen ||= text.length > 0;
      if (isOpen && documents === index) return at;
      if (!ends || !isOpen) continue;
      documents++;
      isOpen = false;
    }
  }
  return path;
}

/** The bytes of a prepared text, in pieces that are worth a call to write. */
async function* separated(documents: AsyncIterable<DocumentPart[]>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let [isFirst, isOpen] = [true, false]; // a document is open once it has a text
  for await (const parts of documents) {
    for (const { text, ends } of parts) {
      if (text.length > 0) {
        if (!isOpen && !isFirst) pieces.push(Uint8Array.of(separator));
        pieces.push(text);
        bytes += text.length + 1;
        [isFirst, isOpen] = [false, true];
      }
      if (ends) isOpen = false;
    }
    if (bytes < bufferBytes) continue;
    yield Buffer.concat(pieces);
    [pieces, bytes] = [[], 0];
  }
  yield Buffer.concat(pieces);
}

/** Names of prepared texts, complete or not. */
const ownName = /^[0-9a-f]{64}(?:\.[0-9a-f]{8}\.partial)?$/;

/** Remove prepared texts that no training has read for a month. */
function removeUnused(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!ownName.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs = Number.POSITIVE_INFINITY } = statSync(path, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs < Date.now() - keptMs) rmSync(path, { force: true });
  }
}
