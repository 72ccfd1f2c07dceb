import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { sha256OfFile } from "../../runs/checksums.js";

/** What became of a file or a directory that a configuration names: it travels under this name, or it does not, for this reason. */
export type SentFile = { name: string; sha256: string } | { whyNot: string };

/** What was sent along with a worker. */
export interface Sent {
  /** Where it lies, on the worker's machine. */
  folder: string;
  /** By the path that configurations say. */
  files: Readonly<Record<string, SentFile>>;
}

/** Finds the files that a configuration names where they were sent to; nothing was sent to a worker that sees them where they are. */
export class SentFiles {
  readonly #sent: Sent | undefined;
  readonly #checked = new Set<string>();

  constructor(sent: Sent | undefined) {
    this.#sent = sent;
  }

  /** Where the text of a trial was sent to, by its SHA-256; nothing where it is read from its own place. */
  corpus(sha256: string): string | undefined {
    return this.#sent && join(this.#sent.folder, "corpora", sha256);
  }

  /**
   * Where a file or directory lies here.
   *
   * @throws {BhBridgeError} `IO_FAILED` where it is not what was sent; `FILE_NOT_FOUND` where it was not sent and is not here.
   */
  here(path: string): string {
    const file = this.#sent?.files[path];
    if (!this.#sent || !file) return path;
    if ("whyNot" in file) {
      if (existsSync(path)) return path;
      throw new BhBridgeError("FILE_NOT_FOUND", `${path} is not on this machine, and did not travel: ${file.whyNot}. Put it on storage that all nodes see`);
    }
    const place = join(this.#sent.folder, file.name, basename(path));
    if (!this.#checked.has(place) && contentHash(place) !== file.sha256)
      throw new BhBridgeError("IO_FAILED", `${path} did not arrive as it was sent: its checksum is another`);
    this.#checked.add(place);
    return place;
  }
}

/** The files of a path, with their names in it: of a directory all of them in order of their names, of a file itself. */
export function filesOf(path: string): { path: string; name: string }[] {
  if (!statSync(path).isDirectory()) return [{ path, name: "" }];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => ({ path: join(path, name), name })).filter((file) => statSync(file.path).isFile());
}

/** SHA-256 of the names and contents of a directory's files, or of a file's content. */
export function contentHash(path: string): string {
  const hash = createHash("sha256");
  for (const file of filesOf(path)) hash.update(`${sha256OfFile(file.path)}  ${file.name}\n`);
  return hash.digest("hex");
}
