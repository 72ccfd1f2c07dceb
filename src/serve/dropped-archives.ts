import { createHash } from "node:crypto";
import { createWriteStream, statfsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BhBridgeError } from "../errors.js";
import { temporaryFolder } from "../python/session-folder.js";
import { openRunArchive, type RunArchive } from "../sweep/run-archive.js";
import { printable } from "../text/escaping.js";
import type { Catalogue } from "./catalogue.js";
import type { DroppedDocument } from "./documents.js";

/** Larger archives can be named on the command line: `bh-bridge serve run.zip`. */
const maxBytes = 4 * 2 ** 30;
const maxArchives = 32;
const longestName = 100;

/** Whether the body of a request is an archive. @param path after `/api/`. */
export function takesArchive(method: string | undefined, path: string): boolean {
  return method === "POST" && path === "archives";
}

/** Archives that a browser sent, in temporary folders that are deleted with the server. An archive that is sent twice is stored once. */
export class DroppedArchives implements Disposable {
  readonly #catalogue: Catalogue;
  readonly #archives = new Map<string, RunArchive>();
  #taking = false;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /**
   * Store the archive in the body of a request, and list its runs and plans.
   * @param name of the file, for display only.
   * @throws {BhBridgeError} `USAGE` for a body that is too large, of unknown length, incomplete, or sent during another; `DISK_FULL`; as `openRunArchive`.
   */
  async take(request: IncomingMessage, name: string): Promise<DroppedDocument> {
    const bytes = Number(request.headers["content-length"] ?? Number.NaN);
    if (!Number.isSafeInteger(bytes)) throw new BhBridgeError("USAGE", "an archive needs a Content-Length");
    if (bytes > maxBytes) throw new BhBridgeError("USAGE", `the archive has ${bytes} bytes, more than ${maxBytes}: name its path to bh-bridge serve`);
    if (this.#taking) throw new BhBridgeError("USAGE", "another archive is being read: wait for it");
    if (this.#archives.size >= maxArchives) throw new BhBridgeError("USAGE", `${maxArchives} archives are open: restart bh-bridge serve`);
    this.#taking = true;
    try {
      return await this.#show(await this.#received(request, bytes, printable(name.slice(0, longestName)) || "archive.zip"));
    } finally {
      this.#taking = false;
    }
  }

  [Symbol.dispose](): void {
    for (const archive of this.#archives.values()) archive[Symbol.dispose]();
    this.#archives.clear();
  }

  async #received(request: IncomingMessage, bytes: number, name: string): Promise<RunArchive> {
    using folder = temporaryFolder("dropped");
    const { bavail, bsize } = statfsSync(folder.path);
    if (bytes > bavail * bsize) throw new BhBridgeError("DISK_FULL", `the archive has ${bytes} bytes, and ${folder.path} has room for ${bavail * bsize}`);
    const path = join(folder.path, "archive.zip");
    const hash = createHash("sha256");
    async function* hashed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const piece of source) {
        hash.update(piece);
        yield piece;
      }
    }
    try {
      await pipeline(request, hashed, createWriteStream(path, { flags: "wx" }));
    } catch (cause) {
      throw new BhBridgeError("USAGE", "the archive arrived incomplete: drop it again", { cause });
    }
    const digest = hash.digest("hex");
    const known = this.#archives.get(digest);
    if (known) return known;
    const archive = await openRunArchive(path, { name });
    this.#archives.set(digest, archive);
    this.#catalogue.add(archive);
    return archive;
  }

  async #show(archive: RunArchive): Promise<DroppedDocument> {
    const { runs, plans } = await this.#catalogue.shelf();
    const isOfIt = ({ directory }: { directory: string }) => archive.directories.includes(directory);
    const ids = (found: readonly { id: string; directory: string }[]) => found.filter(isOfIt).map(({ id }) => id);
    return { schema: "bh-bridge/serve-dropped@1", name: archive.name, runs: ids(runs), plans: ids(plans) };
  }
}
