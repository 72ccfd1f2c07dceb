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

/** A larger archive is better given by its path: `bh-bridge serve run.zip`. */
const mostBytes = 4 * 2 ** 30;
const mostArchives = 32;
const longestName = 100;

/** Whether a request is one whose body is an archive. @param path after `/api/`. */
export function takesArchive(method: string | undefined, path: string): boolean {
  return method === "POST" && path === "archives";
}

/** Archives that a browser sent: they lie in temporary folders, and go with the server. The same one again is the one that is there. */
export class DroppedArchives implements Disposable {
  readonly #catalogue: Catalogue;
  readonly #archives = new Map<string, RunArchive>();
  #taking = false;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /**
   * Take the body of a request, and show what is in it.
   *
   * @param name of the file, as the browser tells it; for people alone.
   * @throws {BhBridgeError} `USAGE` for one that is too large, of unknown length, broken off, or sent while another one is; `DISK_FULL`; what `openRunArchive` throws.
   */
  async take(request: IncomingMessage, name: string): Promise<DroppedDocument> {
    const bytes = Number(request.headers["content-length"] ?? Number.NaN);
    if (!Number.isSafeInteger(bytes)) throw new BhBridgeError("USAGE", "an archive is sent with its length");
    if (bytes > mostBytes)
      throw new BhBridgeError("USAGE", `the archive has ${bytes} bytes, and at most ${mostBytes} are taken: give its path to bh-bridge serve`);
    if (this.#taking) throw new BhBridgeError("USAGE", "another archive is being read: wait for it");
    if (this.#archives.size >= mostArchives) throw new BhBridgeError("USAGE", `${mostArchives} archives are open: start bh-bridge serve anew`);
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
      throw new BhBridgeError("USAGE", "the archive did not arrive whole: drop it again", { cause });
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
