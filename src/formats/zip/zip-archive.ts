import { BhBridgeError } from "../../errors.js";
import { type FileBytes, formatInvalid } from "../file-bytes.js";
import { readZipDirectory, type ZipDirectory, type ZipEntry } from "./zip-directory.js";

const localHeaderBytes = 30;
const localHeaderSignature = 0x04034b50;

/** A zip archive: an entry is a range of the file, and ranges may not overlap. Nothing is unpacked here, so an archive cannot grow. */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #file: FileBytes;
  /** For the header offset of each entry, where the next entry or the directory begins. */
  readonly #limits: ReadonlyMap<number, number>;
  readonly #starts: ReadonlyMap<string, number>;

  /** @throws {BhBridgeError} `FORMAT_INVALID`; `FORMAT_UNSUPPORTED` for an encrypted archive. */
  constructor(file: FileBytes) {
    this.#file = file;
    const directory = readZipDirectory(file);
    this.entries = new Map(directory.entries.map((entry) => [entry.name, entry]));
    const locked = directory.entries.find((entry) => entry.encrypted);
    if (locked) throw new BhBridgeError("FORMAT_UNSUPPORTED", `${file.path}: entry "${locked.name}" is encrypted`);
    this.#limits = entryLimits(file, directory);
    this.#starts = new Map(directory.entries.map((entry) => [entry.name, this.#start(entry)]));
  }

  /** Where the bytes of an entry that is not compressed begin in the file. @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for a compressed entry. */
  locate(entry: ZipEntry): number {
    const { path } = this.#file;
    if (entry.method !== 0) {
      throw new BhBridgeError(
        "FORMAT_UNSUPPORTED",
        `${path}: entry "${entry.name}" is compressed; torch.save stores its entries as they are. Save the file again`,
      );
    }
    return this.startOf(entry);
  }

  /** Where what is stored of an entry begins in the file, compressed or not. */
  startOf({ name }: ZipEntry): number {
    return this.#starts.get(name) ?? 0;
  }

  #start(entry: ZipEntry): number {
    const { path } = this.#file;
    const name = Buffer.from(entry.name);
    const header = this.#file.read(entry.headerOffset, localHeaderBytes + name.length, `the header of entry "${entry.name}"`);
    const view = new DataView(header.buffer);
    if (view.getUint32(0, true) !== localHeaderSignature) throw formatInvalid(path, entry.headerOffset, `entry "${entry.name}" has no header`);
    if (view.getUint16(26, true) !== name.length || name.compare(header, localHeaderBytes) !== 0) {
      throw formatInvalid(path, entry.headerOffset, `the header of entry "${entry.name}" has another name than the archive's directory`);
    }
    const start = entry.headerOffset + localHeaderBytes + view.getUint16(26, true) + view.getUint16(28, true);
    const limit = this.#limits.get(entry.headerOffset) ?? 0;
    if (start + entry.storedBytes > limit) {
      throw formatInvalid(path, start, `entry "${entry.name}" of ${entry.storedBytes} bytes overlaps what begins at byte ${limit}`);
    }
    return start;
  }
}

function entryLimits(file: FileBytes, directory: ZipDirectory): Map<number, number> {
  const offsets = directory.entries.map((entry) => entry.headerOffset).sort((a, b) => a - b);
  const limits = new Map<number, number>();
  for (const [index, offset] of offsets.entries()) {
    if (limits.has(offset)) throw formatInvalid(file.path, offset, "two entries of the archive share their bytes");
    limits.set(offset, offsets[index + 1] ?? directory.offset);
  }
  return limits;
}
