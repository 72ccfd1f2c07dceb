import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { durableWrite, syncPath, writeError } from "../formats/durable-write.js";

/** Maximum bytes of a run's name in its directory; time and hash take 25 more, and file systems allow 255. */
const slugBytes = 80;

/** Transliteration of Latin letters that are not an ASCII letter with an accent. */
const transliterated: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i" };

/** A display name as part of a path: lower-case ASCII letters, digits, dots and hyphens, at most 80 bytes; an empty or long slug gets a hash. */
export function slugOf(name: string): string {
  const letters = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const ascii = letters.replaceAll(/[^\0-\x7f]/gu, (letter) => transliterated[letter] ?? letter);
  return slugOfLetters(ascii, name);
}

/** The slug of versions before 0.3 for a name with accents, by which directories are still found. */
export function earlierSlugOf(name: string): string {
  return slugOfLetters(name.normalize("NFKD").toLowerCase(), name);
}

function slugOfLetters(letters: string, name: string): string {
  const plain = letters.replaceAll(/[^a-z0-9.]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  if (plain.length > 0 && plain.length <= slugBytes) return plain;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return plain === "" ? `run-${hash}` : `${plain.slice(0, slugBytes - 9)}-${hash}`;
}

/** `2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c`: sorts by time, and contains the name and the hash of the configuration. */
export function runDirectoryName(started: Date, name: string, configHash: string): string {
  const time = started.toISOString().slice(0, 19).replaceAll(":", "-");
  return `${time}-${slugOf(name)}-${configHash.slice(0, 8)}`;
}

/** Several runs of one configuration may start in the same second; an existing folder is never reused. */
const maxAttempts = 1000;

/**
 * Create a folder for a run with its first files, atomically.
 * @param out folder of the runs; created if missing.
 * @param files content by file name; at least one.
 * @returns the absolute path.
 * @throws {BhBridgeError} `FILE_UNWRITABLE`, `DISK_FULL`, `IO_FAILED`.
 */
export function createRunDirectory(out: string, name: string, configHash: string, files: Readonly<Record<string, string>>): string {
  const parent = resolve(out);
  const base = join(parent, runDirectoryName(new Date(), name, configHash));
  const partial = join(parent, `.${randomBytes(4).toString("hex")}-${configHash.slice(0, 8)}.partial`);
  try {
    makeFolders(partial);
  } catch (cause) {
    throw writeError(parent, cause);
  }
  try {
    for (const [file, content] of Object.entries(files)) durableWrite(join(partial, file), content);
    const directory = takeName(partial, base);
    syncPath(parent);
    return directory;
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw writeError(parent, cause);
  }
}

/** Create a folder and its parents. Node's `recursive` reports a read-only file system as a missing folder, and hangs in /proc. */
function makeFolders(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    if (code !== "ENOENT" || existsSync(dirname(folder))) throw cause;
    makeFolders(dirname(folder));
    mkdirSync(folder);
  }
}

/** Rename to the first of `base`, `base-2`, … that is free. A rename never replaces a folder with files. */
function takeName(partial: string, base: string): string {
  for (let attempt = 1; ; attempt++) {
    const directory = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      renameSync(partial, directory);
      return directory;
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? "";
      if (!["EEXIST", "ENOTEMPTY", "ENOTDIR"].includes(code) || attempt >= maxAttempts) throw writeError(dirname(directory), cause);
    }
  }
}
