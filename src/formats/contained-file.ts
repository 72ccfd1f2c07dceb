import { realpathSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { BhBridgeError } from "../errors.js";
import { openError } from "./file-bytes.js";

/** A file name alone: no folder, no parent, no drive, nothing that a shell or a terminal would take for something else. */
const plainName = /^[^/\\:\p{Cc}]{1,255}$/u;

/**
 * The path of a file that belongs to a directory, by its name alone.
 *
 * Symbolic links may not lead out of the directory, but for those of the Hugging Face cache, whose `snapshots/<revision>` link to
 * `blobs` beside them.
 *
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
