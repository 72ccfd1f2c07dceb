import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { durableWrite } from "../formats/durable-write.js";
import { runFiles } from "./run-layout.js";

/** What `SHA256SUMS` of a run says: SHA-256 by the path of a file in the run. */
export interface Checksums {
  /** Whole files. */
  readonly files: Map<string, string>;
  /** Histories as far as their states, which have checksums of their own. */
  readonly heads: Map<string, string>;
  /** What files are about to become: whoever writes one dies before or after the change, and both are right. */
  readonly next: Map<string, string>;
}

const about = "# sha256sum -c SHA256SUMS checks the files below; #head: the first 4104 bytes of a history, the index has its states; #self: the lines above it";
const line = /^(?:(#head|#next) )?([0-9a-f]{64}) {2}(.+)$/;

export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The text of `SHA256SUMS`; its last line is the checksum of those before. */
export function checksumsText({ files, heads, next }: Checksums): string {
  const lines = (sums: ReadonlyMap<string, string>, label: string) => [...sums].sort(byPath).map(([path, sum]) => `${label}${sum}  ${path}\n`);
  const text = [`${about}\n`, ...lines(files, ""), ...lines(heads, "#head "), ...lines(next, "#next ")].join("");
  return `${text}#self ${sha256(text)}\n`;
}

/** Take the text of `SHA256SUMS` apart; nothing when a single character is not as it was written. */
export function parseChecksums(text: string): Checksums | undefined {
  const sums: Checksums = { files: new Map(), heads: new Map(), next: new Map() };
  const places: Readonly<Record<string, Map<string, string>>> = { "#head": sums.heads, "#next": sums.next };
  for (const each of text.split("\n").slice(1, -2)) {
    const [, label = "", sum, path] = line.exec(each) ?? [];
    if (sum !== undefined && path !== undefined) (places[label] ?? sums.files).set(path, sum);
  }
  return checksumsText(sums) === text ? sums : undefined;
}

/** The text of a run's `SHA256SUMS`; nothing in a run that has none. */
export function readChecksumsText(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, runFiles.checksums), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

/** Write `SHA256SUMS` of a run. @throws {BhBridgeError} `DISK_FULL`, `FILE_UNWRITABLE`, `IO_FAILED`. */
export function writeChecksums(directory: string, sums: Checksums): void {
  durableWrite(join(directory, runFiles.checksums), checksumsText(sums));
}

function byPath([left]: readonly [string, string], [right]: readonly [string, string]): number {
  return left < right ? -1 : 1;
}
