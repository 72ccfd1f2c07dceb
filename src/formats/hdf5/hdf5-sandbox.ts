import { type FileBytes, formatInvalid } from "../file-bytes.js";

const superblockSignature = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
const collectionSignature = Buffer.from("GCOL");
/** Sizes are padded to multiples of this. */
const alignment = 8;
/** Of a collection: signature, version, reserved, size. Of an object in it: index, references, reserved, size. Both are padded. */
const headerBytes = 16;
const sizeOffset = 8;
/** Maximum size of a collection; strings of attributes take some kilobytes. */
const maxCollectionBytes = 64 * 2 ** 20;

/** Number of bytes of a size in this file; undefined if these bytes are not the superblock. */
export function lengthBytesOf(bytes: Buffer): number | undefined {
  if (bytes.length < headerBytes || !bytes.subarray(0, superblockSignature.length).equals(superblockSignature)) return undefined;
  const version = bytes.readUInt8(8);
  return bytes.readUInt8(version < 2 ? 14 : 10);
}

/** Whether bytes begin a global heap collection, in which strings of variable length lie. */
export function isGlobalHeap(bytes: Buffer): boolean {
  return bytes.subarray(0, collectionSignature.length).equals(collectionSignature);
}

/**
 * Make sure that a global heap collection ends: the HDF5 library walks its objects by their sizes, and never ends if a piece of free space has none. Format: HDF5
 * File Format Specification 3.0, III.E.
 * @param position of the collection in the file.
 * @param read gives bytes of the file.
 * @throws {BhBridgeError} `FORMAT_INVALID`.
 */
export function checkGlobalHeap(path: string, position: number, lengthBytes: number, read: (offset: number, length: number) => Buffer): void {
  const invalid = (at: number, reason: string) => formatInvalid(path, position + at, `the global heap ${reason}`);
  if (lengthBytes !== 4 && lengthBytes !== 8) throw invalid(0, `has sizes of ${lengthBytes} bytes`);
  const sizeAt = (bytes: Buffer, at: number) => (lengthBytes === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const size = sizeAt(read(position, headerBytes), sizeOffset);
  if (size < headerBytes || size > maxCollectionBytes) throw invalid(sizeOffset, `has a collection of ${size} bytes`);
  const bytes = read(position, size);
  for (let at = headerBytes; at + headerBytes <= size; ) {
    const length = sizeAt(bytes, at + sizeOffset);
    // Free space, which has the index 0, counts its own header.
    const taken = bytes.readUInt16LE(at) === 0 ? length : headerBytes + Math.ceil(length / alignment) * alignment;
    if (taken < headerBytes || at + taken > size) throw invalid(at, `has an object of ${length} bytes, ${size - at} bytes before its end`);
    at += taken;
  }
}

type Library = typeof import("h5wasm");
type H5Module = Library["Module"];

/** Half-precision floats as HDF5 describes them in an object's header: exponent at bit 10 of 5 bits, mantissa of 10, bias 15. */
const float16Description = Buffer.from("02000000000010000a05000a0f000000", "hex");
/** The same for bfloat16: exponent at bit 7 of 8 bits, mantissa of 7, bias 127. */
const bfloat16Description = Buffer.from("0200000000001000070800077f000000", "hex");

/** HDF5's own account of an error is kept as a cause, but not at any length. */
const maxDiagnosisCharacters = 4096;

/** An attribute that is longer says something else than a dtype. */
const maxAttributeBytes = 64;

/** The library in use, and how many copies of it have trapped: after that, nothing in a copy's memory can be trusted. */
let current: Promise<Library> | undefined;
let trapped = 0;

function loadLibrary(): Promise<Library> {
  current ??= trapped === 0 ? import("h5wasm") : (import(`${import.meta.resolve("h5wasm")}?copy=${trapped}`) as Promise<Library>);
  return current;
}

/** Take another copy from now on, when an error was a trap: the library reached out of its memory, or gave itself up. Whether it was one. */
function giveUpAfterTrap(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== "RuntimeError") return false;
  current = undefined;
  trapped++;
  return true;
}

/** Files are shown to the library under names that no two of them share. */
let filesShown = 0;

/**
 * The HDF5 library in WebAssembly, seeing one file and nothing else of this machine: it can follow no link out of that file. Bytes are read from the file when
 * the library asks for them; the file is not copied into its memory.
 */
export class Hdf5Sandbox {
  readonly module: H5Module;
  readonly fileId: bigint;
  readonly #library: Library;
  readonly #view: FileView;

  private constructor(library: Library, module: H5Module, fileId: bigint, view: FileView) {
    this.#library = library;
    this.module = module;
    this.fileId = fileId;
    this.#view = view;
  }

  /** Show the file to the library and open it there. Throws when the library refuses it. */
  static async open(file: FileBytes): Promise<Hdf5Sandbox> {
    const library = await loadLibrary();
    const module = await library.ready;
    const view = new FileView(module, file);
    const fileId = view.run(() => module.open(view.path, module.H5F_ACC_RDONLY));
    if (fileId < 0n) {
      view.remove();
      throw new Error("the library cannot open it", { cause: view.diagnosis });
    }
    return new Hdf5Sandbox(library, module, fileId, view);
  }

  /** Call into the library. Throws when reading the file failed meanwhile. */
  run<Result>(action: (module: H5Module) => Result): Result {
    return this.#view.run(() => action(this.module));
  }

  /** An attribute's text; nothing when it is no text, or long. */
  textAttribute(object: string, name: string): string | undefined {
    const { H5T_STRING } = this.module.H5T_class_t;
    const metadata = this.module.get_attribute_metadata(this.fileId, object, name);
    if (metadata.type !== H5T_STRING.value || metadata.total_size * metadata.size > maxAttributeBytes) return undefined;
    const value: unknown = this.#view.runOverHeap(() => new this.#library.Attribute(this.fileId, object, name).json_value);
    return typeof value === "string" ? value : undefined;
  }

  /** What the library printed about its last failures. */
  get diagnosis(): string {
    return this.#view.diagnosis;
  }

  /** Which kinds of two-byte floats were described in what the library has read so far: its own interface does not tell them apart. */
  get halfFloats(): { readonly float16: boolean; readonly bfloat16: boolean } {
    return this.#view.halfFloats;
  }

  /** A copy that has trapped may trap again: what it holds goes with it. */
  close(): void {
    try {
      this.module.close_file(this.fileId);
      this.#view.remove();
    } catch (error) {
      if (!giveUpAfterTrap(error)) throw error;
    }
  }
}

/** A name in the library's own file system whose bytes come from a file of ours. */
class FileView {
  readonly path = `/${filesShown++}.h5`;
  readonly halfFloats = { float16: false, bfloat16: false };
  diagnosis = "";
  readonly #module: H5Module;
  #failure: unknown;
  #lengthBytes = 8;
  #readsHeap = false;

  constructor(module: H5Module, file: FileBytes) {
    this.#module = module;
    module.FS.writeFile(this.path, new Uint8Array());
    const { node } = module.FS.lookupPath(this.path, {});
    const streamOperations = {
      ...Reflect.get(node, "stream_ops"),
      read: (_stream: unknown, heap: Int8Array, offset: number, length: number, position: number) => {
        const target = new Uint8Array(heap.buffer, heap.byteOffset + offset, Math.max(0, Math.min(length, file.size - position)));
        return this.#read(file, position, target);
      },
    };
    Object.assign(node, { usedBytes: file.size, stream_ops: streamOperations });
    this.#listen();
  }

  run<Result>(action: () => Result): Result {
    this.diagnosis = "";
    const result = this.#attempt(action);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
    return result;
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      giveUpAfterTrap(error);
      throw error;
    }
  }

  /** Like `run`, for what may read texts: only then can bytes that look like a global heap be one. */
  runOverHeap<Result>(action: () => Result): Result {
    this.#readsHeap = true;
    try {
      return this.run(action);
    } finally {
      this.#readsHeap = false;
    }
  }

  remove(): void {
    this.#module.FS.unlink(this.path);
  }

  // An exception must not cross the library's frames: it is kept, and thrown when the library has returned.
  #read(file: FileBytes, position: number, target: Uint8Array): number {
    const bytes = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    try {
      file.readInto(position, target, "its HDF5 structures");
      this.#lengthBytes = lengthBytesOf(bytes) ?? this.#lengthBytes;
      const read = (offset: number, length: number) => Buffer.from(file.read(offset, length, "its global heap"));
      if (this.#readsHeap && isGlobalHeap(bytes)) checkGlobalHeap(file.path, position, this.#lengthBytes, read);
    } catch (failure) {
      this.#failure ??= failure;
      return 0;
    }
    this.halfFloats.float16 ||= bytes.includes(float16Description);
    this.halfFloats.bfloat16 ||= bytes.includes(bfloat16Description);
    return target.byteLength;
  }

  /** The library prints its errors on its stderr, which would be ours: take them instead. */
  #listen(): void {
    const streams: unknown = Reflect.get(this.#module.FS, "streams");
    const stderr: unknown = Array.isArray(streams) ? streams[2] : undefined;
    if (typeof stderr !== "object" || stderr === null) return;
    const write = (_stream: unknown, heap: Int8Array, offset: number, length: number): number => {
      const text = Buffer.from(heap.buffer, heap.byteOffset + offset, length).toString("latin1");
      this.diagnosis = (this.diagnosis + text).slice(0, maxDiagnosisCharacters);
      return length;
    };
    Object.assign(stderr, { stream_ops: { ...Reflect.get(stderr, "stream_ops"), write } });
  }
}
