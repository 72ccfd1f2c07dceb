import { basename } from "node:path";
import { BhBridgeError } from "../../errors.js";
import { FileBytes, formatInvalid } from "../file-bytes.js";
import type { TensorFile } from "../safetensors/safetensors.js";
import { rawTensor, readableDtype, type StoredTensor } from "../stored-tensor.js";
import { ZipArchive } from "../zip/zip-archive.js";
import type { ZipEntry } from "../zip/zip-directory.js";
import { PickleDict, PickleFloat, PickleInstance, PickleList, PickleTuple } from "./pickle-cursor.js";
import { isDense, stridedRows } from "./strided-rows.js";
import { readTorchPickle, type TorchStorage, TorchTensor } from "./torch-pickle.js";

/** Maximum depth of values: a pickled GPT-2 module reaches 14, an optimizer state 5. */
const maxDepth = 100;
/** Maximum number of visited values, which stops values that unfold without end. The largest published model has 91,000 tensors. */
const maxVisits = 2_000_000;
/** Names are joined from keys; this stops keys that grow with the depth. The longest in a published model are below 200 characters. */
const maxNameCharacters = 4096;
/** Number of plain values to show. */
const maxPlainValues = 200;
/** Longer texts are not shown. */
const maxPlainCharacters = 200;

/** The name of a tensor that was saved by itself. */
const bareName = "tensor";

/** The tensors in a value by their paths, and the plain values beside them. */
interface NamedValues {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Strings, numbers and booleans, the first ones only: `epoch`, `param_groups.0.lr`. */
  readonly plain: ReadonlyMap<string, string | number | boolean>;
}

/**
 * Name every tensor in what `torch.save` saved by the keys and indices on its way, joined with dots: `model.embedding.weight`, `state.0.exp_avg`.
 * @throws {BhBridgeError} `FORMAT_INVALID` for values that hold themselves, nest too deep or unfold too far, and for two tensors of one name.
 */
export function nameValues(root: unknown, path: string, offset: number): NamedValues {
  const walk = new Walk((reason) => formatInvalid(path, offset, reason));
  walk.visit(root, "", 0);
  return walk;
}

class Walk implements NamedValues {
  readonly tensors = new Map<string, TorchTensor>();
  readonly plain = new Map<string, string | number | boolean>();
  readonly #fail: (reason: string) => Error;
  #visits = 0;

  constructor(fail: (reason: string) => Error) {
    this.#fail = fail;
  }

  // The depth's limit also ends values that hold themselves.
  visit(value: unknown, name: string, depth: number): void {
    if (++this.#visits > maxVisits) throw this.#fail(`its values unfold to more than ${maxVisits}`);
    if (depth > maxDepth) throw this.#fail(`its values nest deeper than ${maxDepth}, or hold themselves`);
    if (name.length > maxNameCharacters) throw this.#fail(`a name is longer than ${maxNameCharacters} characters`);
    if (value instanceof TorchTensor) this.#addTensor(name || bareName, value);
    else if (value instanceof PickleDict) this.#visitDict(value, name, depth);
    else if (value instanceof PickleList || value instanceof PickleTuple) this.#visitItems(value.items, name, depth);
    else if (value instanceof PickleInstance) this.#visitInstance(value, name, depth);
    else this.#addPlain(name, value instanceof PickleFloat ? plainFloat(value.value) : value);
  }

  #visitDict(dict: PickleDict, name: string, depth: number): void {
    let index = 0;
    for (const [key, value] of dict.entries) this.visit(value, join(name, keyName(key, index++)), depth + 1);
  }

  #visitItems(items: readonly unknown[], name: string, depth: number): void {
    for (const [index, item] of items.entries()) this.visit(item, join(name, String(index)), depth + 1);
  }

  #visitInstance(instance: PickleInstance, name: string, depth: number): void {
    this.#visitDict(instance.dict, name, depth);
    this.#visitItems(instance.items, name, depth);
    if (instance.state instanceof PickleDict) this.#visitDict(instance.state, name, depth);
  }

  #addTensor(name: string, tensor: TorchTensor): void {
    if (this.tensors.has(name)) throw this.#fail(`two tensors have the name "${name}"`);
    this.tensors.set(name, tensor);
  }

  #addPlain(name: string, value: unknown): void {
    const shown = typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= maxPlainCharacters);
    if (shown && this.plain.size < maxPlainValues) this.plain.set(name, value);
  }
}

/** JSON has no words for what is not finite: Python's are used. */
function plainFloat(value: number): number | string {
  return Number.isFinite(value) ? value : String(value).toLowerCase().replace("infinity", "inf");
}

function join(prefix: string, key: string): string {
  return prefix === "" ? key : `${prefix}.${key}`;
}

/** Keys that are neither text nor integer have no spelling that a user would guess: they are numbered. */
function keyName(key: unknown, index: number): string {
  return typeof key === "string" || typeof key === "number" || typeof key === "bigint" ? String(key) : `key#${index}`;
}

/** The largest `data.pkl` that is read: 100,000 tensors take about 20 MB. */
const maxPickleBytes = 256 * 2 ** 20;
/** The newest archive version of torch 2.13 (`kMaxSupportedFileFormatVersion`); it writes 3. */
const maxArchiveVersion = 10;
/** Of the records that are short texts, the longest has 40 bytes. */
const maxTextBytes = 64;
/** Torch refuses an archive in which one of these is damaged, so they are read. */
const numberRecords: readonly string[] = [".format_version", ".storage_alignment"];
const serializationId = ".data/serialization_id";
/** An expanded tensor (stride 0) can be larger than the file that holds it; up to this size that is taken for intended. */
const maxExpandedBytes = 64 * 2 ** 20;

/** An open torch archive. */
export interface TorchFile extends TensorFile {
  /** Python names that loading this file in torch would call, beyond tensors and dicts. Nothing was called here. */
  readonly inertGlobals: readonly string[];
}

/**
 * Open what `torch.save` of torch 1.6 or later saved: its pickle is read as data, and no storage is.
 * @throws {BhBridgeError} `FORMAT_INVALID`; `FORMAT_UNSUPPORTED` for other zip archives and for what torch saves rarely (TorchScript, big-endian, quantized
 *   and sparse tensors); what `FileBytes` throws.
 */
export function openTorchArchive(path: string, label = basename(path)): TorchFile {
  const file = new FileBytes(path);
  try {
    const archive = new TorchRecords(file);
    const pickle = archive.read("data.pkl", maxPickleBytes);
    const { root, storages, inertGlobals } = readTorchPickle(pickle.bytes, path, pickle.offset);
    const starts = new Map(storages.map((storage) => [storage, archive.locateStorage(storage)]));
    const { tensors, plain } = nameValues(root, path, pickle.offset);
    const stored = [...tensors].map(([name, tensor]) => storedTensor(file, name, tensor, starts.get(tensor.storage) ?? 0, label));
    return { tensors: stored, metadata: Object.fromEntries(plain), inertGlobals, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * What `torch.save` saved, as inert data: nothing in its pickle is executed.
 * @throws {BhBridgeError} as `openTorchArchive`.
 */
export function readTorchValue(path: string): unknown {
  const file = new FileBytes(path);
  try {
    const { bytes, offset } = new TorchRecords(file).read("data.pkl", maxPickleBytes);
    return readTorchPickle(bytes, path, offset).root;
  } finally {
    file.close();
  }
}

/** The records of a torch archive, all of which lie in one folder. */
class TorchRecords {
  readonly #file: FileBytes;
  readonly #archive: ZipArchive;
  readonly #folder: string;

  constructor(file: FileBytes) {
    this.#file = file;
    this.#archive = new ZipArchive(file);
    const names = [...this.#archive.entries.keys()];
    const first = names[0] ?? "";
    this.#folder = first.slice(0, first.indexOf("/") + 1);
    this.#checkKind();
    const stray = names.find((name) => !name.startsWith(this.#folder));
    if (stray !== undefined) throw formatInvalid(file.path, 0, `entry "${stray}" of the archive is not in its folder "${this.#folder}"`);
    this.#checkVersion();
    this.#checkByteOrder();
    if (this.#entry(serializationId)) this.#text(serializationId);
  }

  read(record: string, maxBytes: number): { bytes: Uint8Array; offset: number } {
    const entry = this.#entry(record);
    if (!entry) throw formatInvalid(this.#file.path, 0, `the archive has no record "${record}"`);
    if (entry.bytes > maxBytes)
      throw formatInvalid(this.#file.path, entry.headerOffset, `record "${record}" has ${entry.bytes} bytes; at most ${maxBytes} are read`);
    const offset = this.#archive.locate(entry);
    return { bytes: this.#file.read(offset, entry.bytes, `record "${record}"`), offset };
  }

  /** Where a storage's bytes begin. */
  locateStorage(storage: TorchStorage): number {
    const record = `data/${storage.key}`;
    const entry = this.#entry(record);
    if (!entry || entry.bytes < storage.bytes) {
      const found = entry ? `${entry.bytes} bytes` : "no record of its name";
      throw formatInvalid(this.#file.path, entry?.headerOffset ?? 0, `storage "${storage.key}" should have ${storage.bytes} bytes, but has ${found}`);
    }
    return this.#archive.locate(entry);
  }

  #entry(record: string): ZipEntry | undefined {
    return this.#archive.entries.get(this.#folder + record);
  }

  #checkKind(): void {
    if (this.#entry("constants.pkl")) throw this.#unsupported("is a TorchScript program. Save its state_dict() with torch.save");
    if (!this.#entry("data.pkl")) throw this.#unsupported("is a zip archive, but not one that torch.save wrote");
  }

  #checkVersion(): void {
    const version = this.#number("version");
    if (version < 1 || version > maxArchiveVersion) throw this.#unsupported(`has the archive version ${version}; known are 1 to ${maxArchiveVersion}`);
    for (const record of numberRecords) if (this.#entry(record)) this.#number(record);
  }

  #number(record: string): number {
    const text = this.#text(record).trim();
    if (/^[0-9]{1,9}$/.test(text)) return Number(text);
    throw formatInvalid(this.#file.path, this.#entry(record)?.headerOffset ?? 0, `record "${record}" is not a number`);
  }

  #checkByteOrder(): void {
    const order = this.#entry("byteorder") ? this.#text("byteorder") : "little";
    if (order !== "little") throw this.#unsupported(`has the byte order "${order}". Load it in torch and save it on a little-endian machine`);
  }

  #text(record: string): string {
    const { bytes, offset } = this.read(record, maxTextBytes);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw formatInvalid(this.#file.path, offset, `record "${record}" is not UTF-8 text`, cause);
    }
  }

  #unsupported(reason: string): BhBridgeError {
    return new BhBridgeError("FORMAT_UNSUPPORTED", `${this.#file.path} ${reason}`);
  }
}

function storedTensor(file: FileBytes, name: string, tensor: TorchTensor, start: number, label: string): StoredTensor {
  const { shape, strides, type } = tensor;
  const bytes = shape.reduce((product, length) => product * length, 1) * type.itemBytes;
  const info = { name, dtype: type.dtype, shape, bytes, file: label };
  const offset = start + tensor.offset * type.itemBytes;
  if (isDense(shape, strides)) return rawTensor(file, offset, info);
  return {
    ...info,
    rows() {
      if (bytes > maxExpandedBytes && bytes > file.size)
        throw formatInvalid(file.path, offset, `tensor "${name}" would take ${bytes} bytes, more than the whole file`);
      return stridedRows(file, name, { dtype: readableDtype(info, file.path), shape, strides, offset });
    },
  };
}
