import { closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { BhBridgeError, type ErrorCode } from "../errors.js";

/** The error for a file whose bytes contradict its format: names the file, the byte offset and the reason. */
export function formatInvalid(path: string, offset: number, reason: string, cause?: unknown): BhBridgeError {
  return new BhBridgeError("FORMAT_INVALID", `${path} is damaged or not what its name says: at byte ${offset}, ${reason}`, {
    offset,
    ...(cause === undefined ? {} : { cause }),
  });
}

const openErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["FILE_NOT_FOUND", "does not exist"],
  ENOTDIR: ["FILE_NOT_FOUND", "does not exist: a part of its path is a file"],
  EACCES: ["FILE_UNREADABLE", "may not be read by this user"],
  EPERM: ["FILE_UNREADABLE", "may not be read by this user"],
};

function openError(path: string, cause: unknown): BhBridgeError {
  const osCode = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const [code, reason] = openErrors[osCode] ?? ["IO_FAILED", `cannot be read (${osCode || String(cause)})`];
  return new BhBridgeError(code, `${path} ${reason}`, { cause });
}

const textErrors: Readonly<Record<string, string>> = { ENOENT: "there is no such file", EISDIR: "it is a folder", EACCES: "it may not be read" };

/** Why the operating system refuses to read a text, for the message of another error. */
export function reasonNotRead(cause: unknown): string {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return textErrors[code] ?? code;
}

/** Whether the path is a directory. @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `IO_FAILED`. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw openError(path, cause);
  }
}

/** One regular file, read at given offsets; every read is checked against the file's size before memory is used. */
export class FileBytes {
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;

  /** @throws {BhBridgeError} `FILE_NOT_FOUND`, `FILE_UNREADABLE` (also for directories, pipes and devices), `IO_FAILED`. */
  constructor(path: string) {
    this.path = path;
    try {
      // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
      this.#descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (cause) {
      throw openError(path, cause);
    }
    const stat = fstatSync(this.#descriptor);
    this.size = stat.size;
    if (!stat.isFile()) {
      this.close();
      throw new BhBridgeError("FILE_UNREADABLE", `${path} is not a regular file`);
    }
  }

  /**
   * The bytes `offset … offset + length − 1` in memory of their own.
   * @param what what is read, for the message when the file is too short.
   * @throws {BhBridgeError} `FORMAT_INVALID` when they are not all in the file; `IO_FAILED`.
   */
  read(offset: number, length: number, what: string): Uint8Array {
    this.#demand(offset, length, what);
    const target = new Uint8Array(length);
    this.readInto(offset, target, what);
    return target;
  }

  /** Fill `target` with the bytes from `offset` on; errors as `read`. */
  readInto(offset: number, target: Uint8Array, what: string): void {
    this.#demand(offset, target.byteLength, what);
    for (let done = 0; done < target.byteLength; ) {
      const count = this.#readSome(offset + done, target.subarray(done));
      // The file can shrink while it is read: its size was true when it was opened.
      if (count === 0) throw formatInvalid(this.path, offset + done, `the file ends inside ${what}`);
      done += count;
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #demand(offset: number, length: number, what: string): void {
    if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw formatInvalid(this.path, offset, `${what} would take ${length} bytes, but the file has ${this.size}`);
    }
  }

  #readSome(offset: number, target: Uint8Array): number {
    if (this.#descriptor === undefined) throw new BhBridgeError("FILE_UNREADABLE", `${this.path} has been closed`);
    try {
      return readSync(this.#descriptor, target, 0, Math.min(target.byteLength, maxReadBytes), offset);
    } catch (cause) {
      throw new BhBridgeError("IO_FAILED", `${this.path} cannot be read at byte ${offset}`, { cause });
    }
  }
}

/** One read(2) on Linux moves at most 2^31 − 4,096 bytes; 1 GiB is safely below on every system. */
const maxReadBytes = 2 ** 30;

/** A file name alone: no folder, no parent, no drive, nothing that a shell or a terminal would take for something else. */
const plainName = /^[^/\\:\p{Cc}]{1,255}$/u;

/**
 * The path of a file that belongs to a directory, by its name alone. Symbolic links may not lead out of the directory, but for those of the Hugging Face cache,
 * whose `snapshots/<revision>` link to `blobs` beside them.
 * @throws {BhBridgeError} `FORMAT_INVALID` for names and links that lead elsewhere; `FILE_NOT_FOUND`, `FILE_UNREADABLE`.
 */
export function containedFile(directory: string, name: string): string {
  if (!plainName.test(name) || name === "." || name === "..") {
    throw new BhBridgeError("FORMAT_INVALID", `${directory} names the file ${JSON.stringify(name)}, which is not the plain name of a file in it`);
  }
  const path = join(directory, name);
  const target = realPath(path);
  if (!containers(realPath(directory)).some((container) => target.startsWith(container + sep))) {
    throw new BhBridgeError("FORMAT_INVALID", `${path} is a link that leads out of its directory, to ${target}. Copy the file, or open it by its own path`);
  }
  return path;
}

function containers(directory: string): string[] {
  const parent = dirname(directory);
  return basename(parent) === "snapshots" ? [directory, join(dirname(parent), "blobs")] : [directory];
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw openError(path, cause);
  }
}

/**
 * Absolute path of a file of another package that the build copies beside the program (`scripts/build.mjs`), so that users do not install all of that package.
 * @param source where the file is in a checkout that runs from its sources: `package/path/file`.
 */
export function shippedFile(source: string): string {
  const built = fileURLToPath(new URL(`../assets/${source.slice(source.lastIndexOf("/") + 1)}`, import.meta.url));
  return existsSync(built) ? built : createRequire(import.meta.url).resolve(source);
}
