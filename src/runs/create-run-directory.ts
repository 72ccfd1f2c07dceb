import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { durableWrite, syncPath, writeError } from "../formats/durable-write.js";

/** File systems allow 255 bytes a name; a run's own name may use this much of it, the time and the hash take 25. */
const slugBytes = 80;

/** Latin letters that are no letter with an accent, as they are transliterated. */
const transliterated: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", þ: "th", ł: "l", ı: "i" };

/** A display name as a part of a path: lower-case ASCII letters, digits, dots and hyphens, at most 80 bytes; an odd name gets a hash of its own. */
export function slugOf(name: string): string {
  const letters = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return slugOfLetters(
    letters.replaceAll(/[^\0-\x7f]/gu, (letter) => transliterated[letter] ?? letter),
    name,
  );
}

/** The slug that versions before 0.3 gave to a name with accents; directories are still found by it. */
export function earlierSlugOf(name: string): string {
  return slugOfLetters(name.normalize("NFKD").toLowerCase(), name);
}

function slugOfLetters(letters: string, name: string): string {
  const plain = letters.replaceAll(/[^a-z0-9.]+/g, "-").replaceAll(/^[-.]+|[-.]+$/g, "");
  if (plain.length > 0 && plain.length <= slugBytes) return plain;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return plain === "" ? `run-${hash}` : `${plain.slice(0, slugBytes - 9)}-${hash}`;
}

/** `2026-11-24T16-20-34-rmsnorm-11.2a-1f2e3d4c`: sorts by time, says what it is, and differs when the configuration does. */
export function runDirectoryName(started: Date, name: string, configHash: string): string {
  const time = started.toISOString().slice(0, 19).replaceAll(":", "-");
  return `${time}-${slugOf(name)}-${configHash.slice(0, 8)}`;
}

/** Two runs of one configuration may start in the same second; a folder that exists is never used again. */
const maxAttempts = 1000;

/**
 * Make a new folder for a run, with its first files in it: it is there with all of them, or not at all.
 * @param out the folder that holds the runs; made when it is absent.
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

/** Make a folder and those above it. Node's own `recursive` calls a read-only file system an absent folder, and never comes back from /proc. */
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

/** Rename to the first of `base`, `base-2`, … that is free: a folder with files in it is never renamed over. */
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
