import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { sha256OfFile } from "../../runs/checksums.js";

/** A file or directory that a configuration names: sent under a name, or why it was not sent. */
export type SentFile = { name: string; sha256: string } | { whyNot: string };

/** The files sent to a worker. */
export interface Sent {
  /** Where they are on the worker's machine. */
  folder: string;
  /** By path in the configurations. */
  files: Readonly<Record<string, SentFile>>;
}

/** Maps the files that a configuration names to their copies on this machine. */
export class SentFiles {
  readonly #sent: Sent | undefined;
  readonly #checked = new Set<string>();

  constructor(sent: Sent | undefined) {
    this.#sent = sent;
  }

  /** Where the text of a trial was sent; undefined if it is read from its original path. */
  corpus(sha256: string): string | undefined {
    return this.#sent && join(this.#sent.folder, "corpora", sha256);
  }

  /** Local path of a file or directory. @throws {BhBridgeError} `IO_FAILED` for a wrong checksum, `FILE_NOT_FOUND` if it was not sent and is not here. */
  here(path: string): string {
    const file = this.#sent?.files[path];
    if (!this.#sent || !file) return path;
    if ("whyNot" in file) {
      if (existsSync(path)) return path;
      throw new BhBridgeError("FILE_NOT_FOUND", `${path} is not on this machine and was not sent: ${file.whyNot}. Put it on storage that all nodes see`);
    }
    const local = join(this.#sent.folder, file.name, basename(path));
    if (!this.#checked.has(local) && contentHash(local) !== file.sha256)
      throw new BhBridgeError("IO_FAILED", `${path} was damaged in transfer: its checksum differs`);
    this.#checked.add(local);
    return local;
  }
}

/** The files of a path: itself, or all files in a directory, sorted by name. */
export function filesOf(path: string): { path: string; name: string }[] {
  if (!statSync(path).isDirectory()) return [{ path, name: "" }];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => ({ path: join(path, name), name })).filter((file) => statSync(file.path).isFile());
}

/** SHA-256 of a file's content, or of the names and contents of a directory's files. */
export function contentHash(path: string): string {
  const hash = createHash("sha256");
  for (const file of filesOf(path)) hash.update(`${sha256OfFile(file.path)}  ${file.name}\n`);
  return hash.digest("hex");
}
