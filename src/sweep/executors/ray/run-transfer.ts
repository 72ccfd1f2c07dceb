import { createHash } from "node:crypto";
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../../errors.js";
import { writeAll } from "../../../formats/durable-write.js";

const chunkBytes = 4 << 20;

const headSchema = z.union([
  z.strictObject({ path: z.string(), offset: z.int().nonnegative(), bytes: z.int().nonnegative(), sha256: z.string() }),
  z.strictObject({ path: z.null() }),
]);

export interface RunChunk {
  path: string;
  offset: number;
  data: Uint8Array<ArrayBuffer>;
  sha256: string;
}

/**
 * Write a run that arrives in chunks, each a JSON line and its bytes. It replaces the old run once complete.
 * @throws {BhBridgeError} `IO_FAILED` for a chunk with a wrong checksum or a missing end.
 */
export async function receiveRun(stream: AsyncIterable<Uint8Array>, directory: string): Promise<void> {
  const part = join(dirname(directory), `.${basename(directory)}.part`);
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { recursive: true });
  const reader = new Reader(stream);
  for (;;) {
    const head = headSchema.parse(JSON.parse(await reader.line()));
    if (head.path === null) break;
    const data = await reader.bytes(head.bytes);
    const file = resolve(part, head.path);
    if (!file.startsWith(`${part}${sep}`)) throw new BhBridgeError("IO_FAILED", `the cluster sent a file outside of its run: ${head.path}`);
    if (createHash("sha256").update(data).digest("hex") !== head.sha256) {
      throw new BhBridgeError("IO_FAILED", `${head.path} of ${directory} was damaged in transfer: its checksum differs`);
    }
    mkdirSync(dirname(file), { recursive: true });
    writeAt(file, head.offset, data);
  }
  replaceRun(part, directory);
}

/** The chunks of a local run. */
export function* runChunks(directory: string): Generator<RunChunk> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const file of files.map((entry) => join(entry.parentPath, entry.name))) {
    const { size } = statSync(file);
    for (let offset = 0; offset < Math.max(size, 1); offset += chunkBytes) {
      const data = readAt(file, offset, Math.min(chunkBytes, size - offset));
      yield { path: relative(directory, file), offset, data, sha256: createHash("sha256").update(data).digest("hex") };
    }
  }
}

/** Move the old run away first, so that nobody sees a partial one. */
function replaceRun(part: string, directory: string): void {
  const old = `${part}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(directory)) renameSync(directory, old);
  renameSync(part, directory);
  rmSync(old, { recursive: true, force: true });
}

function writeAt(file: string, offset: number, data: Uint8Array): void {
  const fd = openSync(file, existsSync(file) ? "r+" : "w");
  try {
    if (data.length === 0) ftruncateSync(fd, offset);
    else writeAll(fd, data, offset);
  } finally {
    closeSync(fd);
  }
}

function readAt(file: string, offset: number, bytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(bytes);
  const fd = openSync(file, "r");
  try {
    return data.subarray(0, readSync(fd, data, 0, bytes, offset));
  } finally {
    closeSync(fd);
  }
}

/** Reads lines and bytes from a stream. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (let end = this.#held.indexOf(10); ; end = this.#held.indexOf(10)) {
      if (end >= 0) return this.#take(end + 1).toString();
      await this.#more();
    }
  }

  async bytes(number: number): Promise<Buffer> {
    while (this.#held.length < number) await this.#more();
    return this.#take(number);
  }

  #take(number: number): Buffer {
    const taken = this.#held.subarray(0, number);
    this.#held = this.#held.subarray(number);
    return taken;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new BhBridgeError("IO_FAILED", "the cluster stopped in the middle of a run");
    this.#held = Buffer.concat([this.#held, value]);
  }
}
