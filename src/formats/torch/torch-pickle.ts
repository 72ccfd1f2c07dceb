import { BhBridgeError } from "../../errors.js";
import { formatInvalid } from "../file-bytes.js";
import { PickleDict, PickleGlobal, PickleTuple } from "./pickle-cursor.js";
import { readPickle } from "./pickle-reader.js";

/** How torch's element types are spelt here, and the bytes of one element. */
interface TorchDtype {
  /** As safetensors spells it, where it knows the type. */
  readonly dtype: string;
  readonly itemBytes: number;
}

/** The classes of storages, by their full names. */
export const storageDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["torch.BFloat16Storage", { dtype: "BF16", itemBytes: 2 }],
  ["torch.HalfStorage", { dtype: "F16", itemBytes: 2 }],
  ["torch.FloatStorage", { dtype: "F32", itemBytes: 4 }],
  ["torch.DoubleStorage", { dtype: "F64", itemBytes: 8 }],
  ["torch.CharStorage", { dtype: "I8", itemBytes: 1 }],
  ["torch.ByteStorage", { dtype: "U8", itemBytes: 1 }],
  ["torch.ShortStorage", { dtype: "I16", itemBytes: 2 }],
  ["torch.IntStorage", { dtype: "I32", itemBytes: 4 }],
  ["torch.LongStorage", { dtype: "I64", itemBytes: 8 }],
  ["torch.BoolStorage", { dtype: "BOOL", itemBytes: 1 }],
  ["torch.ComplexFloatStorage", { dtype: "C64", itemBytes: 8 }],
  ["torch.ComplexDoubleStorage", { dtype: "C128", itemBytes: 16 }],
  ["torch.storage.UntypedStorage", { dtype: "U8", itemBytes: 1 }],
]);

/** The element types without a storage class of their own, by their full names; they are named beside an untyped storage. */
export const laterDtypes: ReadonlyMap<string, TorchDtype> = new Map([
  ["torch.uint16", { dtype: "U16", itemBytes: 2 }],
  ["torch.uint32", { dtype: "U32", itemBytes: 4 }],
  ["torch.uint64", { dtype: "U64", itemBytes: 8 }],
  ["torch.float8_e4m3fn", { dtype: "F8_E4M3", itemBytes: 1 }],
  ["torch.float8_e4m3fnuz", { dtype: "F8_E4M3FNUZ", itemBytes: 1 }],
  ["torch.float8_e5m2", { dtype: "F8_E5M2", itemBytes: 1 }],
  ["torch.float8_e5m2fnuz", { dtype: "F8_E5M2FNUZ", itemBytes: 1 }],
  ["torch.float8_e8m0fnu", { dtype: "F8_E8M0", itemBytes: 1 }],
]);

/** A run of elements in a file of its own inside the archive. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly type: TorchDtype,
    readonly count: number,
  ) {}

  get bytes(): number {
    return this.count * this.type.itemBytes;
  }
}

/** A view on a storage. `offset` and `strides` count elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly type: TorchDtype,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** What `torch.save` saved, as inert data with `TorchTensor`s in it. */
interface TorchPickle {
  readonly root: unknown;
  readonly storages: readonly TorchStorage[];
  /** Python names that torch would have called and this reader does not know, in order of their first use. */
  readonly inertGlobals: readonly string[];
}

/**
 * Read the `data.pkl` of a torch archive, executing nothing. Known are the calls that build tensors, parameters and dicts; every other call becomes a
 * `PickleInstance`.
 * @throws {BhBridgeError} `FORMAT_INVALID`, `FORMAT_UNSUPPORTED`.
 */
export function readTorchPickle(bytes: Uint8Array, path: string, offset: number): TorchPickle {
  const builder = new TorchBuilder(path, offset);
  const root = readPickle(bytes, builder, path, offset);
  return { root, storages: [...builder.storages.values()], inertGlobals: [...builder.inertGlobals] };
}

/** The id of a storage: "storage", its class, its key, where it was, how many elements it has. */
const storageIdItems = 5;

type Construct = (args: readonly unknown[]) => unknown;

class TorchBuilder {
  readonly storages = new Map<string, TorchStorage>();
  readonly inertGlobals = new Set<string>();
  readonly #path: string;
  readonly #offset: number;
  readonly #known: ReadonlyMap<string, Construct>;

  constructor(path: string, offset: number) {
    this.#path = path;
    this.#offset = offset;
    const tensor: Construct = (args) => this.#tensor(this.#count(args, 4, 4));
    const tensorV2: Construct = (args) => this.#tensor(this.#withGrad(this.#count(args, 6, 7), 4), undefined, args[6]);
    const tensorV3: Construct = (args) => this.#tensor(this.#withGrad(this.#count(args, 7, 8), 4), args[6], args[7]);
    const parameter: Construct = (args) => this.#parameter(this.#withGrad(args, 1)[0]);
    const dict: Construct = () => new PickleDict();
    this.#known = new Map<string, Construct>([
      ["torch._utils._rebuild_tensor", tensor],
      ["torch._utils._rebuild_tensor_v2", tensorV2],
      ["torch._utils._rebuild_tensor_v3", tensorV3],
      ["torch._utils._rebuild_parameter", parameter],
      ["torch._utils._rebuild_parameter_with_state", parameter],
      ["torch._tensor._rebuild_from_type_v2", (args) => this.#withAttributes(args)],
      ["torch.Size", ([sizes]) => sizes],
      ["collections.OrderedDict", dict],
      ["collections.defaultdict", dict],
    ]);
  }

  construct(callable: PickleGlobal, args: readonly unknown[]): unknown {
    if (storageDtypes.has(callable.toString()) || laterDtypes.has(callable.toString())) throw this.#invalid(`the type ${callable} is called`);
    const known = this.#known.get(callable.toString());
    if (!known) this.inertGlobals.add(callable.toString());
    return known?.(args);
  }

  persistent(id: unknown): unknown {
    const [kind, storageClass, key, , count] = id instanceof PickleTuple && id.items.length === storageIdItems ? id.items : [];
    const type = storageClass instanceof PickleGlobal ? storageDtypes.get(storageClass.toString()) : undefined;
    if (kind !== "storage" || typeof key !== "string" || !isCount(count)) throw this.#invalid("a persistent id does not name a storage");
    if (!type) throw this.#unsupported(`has a storage of the type ${storageClass}`);
    const storage = new TorchStorage(key, type, count);
    const known = this.storages.get(key);
    if (known && (known.type.dtype !== type.dtype || known.count !== count)) throw this.#invalid(`storage "${key}" is described in two ways`);
    if (!known) this.storages.set(key, storage);
    return known ?? storage;
  }

  /** `_rebuild_tensor(storage, offset, size, stride)`, then `requires_grad, hooks` since v2, `dtype` since v3, and `metadata` where there is some. */
  #tensor(args: readonly unknown[], dtype?: unknown, metadata?: unknown): TorchTensor {
    const [storage, offset, size, stride] = args;
    if (!(storage instanceof TorchStorage && isCount(offset) && size instanceof PickleTuple && stride instanceof PickleTuple)) {
      throw this.#invalid("the arguments of a tensor are not a storage, an offset, a size and a stride");
    }
    const type = dtype === undefined ? storage.type : dtype instanceof PickleGlobal ? laterDtypes.get(dtype.toString()) : undefined;
    if (!type) throw this.#unsupported(`has a tensor of the type ${dtype}`);
    const [shape, strides] = [size.items, stride.items];
    if (!(shape.every(isCount) && strides.every(isCount) && shape.length === strides.length)) {
      throw this.#invalid("the size and the stride of a tensor are not equally many non-negative integers");
    }
    this.#checkMetadata(metadata);
    this.#checkExtent(storage, type, offset, shape, strides);
    return new TorchTensor(storage, type, offset, shape, strides);
  }

  /** What torch keeps of a view beside its strides: `conj` and `neg`, which turn the sign of what is stored. */
  #checkMetadata(metadata: unknown): void {
    if (metadata === undefined || metadata === null) return;
    if (!(metadata instanceof PickleDict)) throw this.#invalid("the metadata of a tensor is not a dict");
    for (const [key, value] of metadata.entries) {
      if (!((key === "conj" || key === "neg") && typeof value === "boolean")) throw this.#invalid("a tensor's metadata says what no torch says");
      if (value) throw this.#unsupported("has a tensor that is stored with its sign turned");
    }
  }

  #count(args: readonly unknown[], least: number, most: number): readonly unknown[] {
    if (args.length < least || args.length > most) throw this.#invalid(`a tensor is built from ${args.length} arguments, not ${least} to ${most}`);
    return args;
  }

  /** Check `requires_grad`, which has no other use here, to verify the positions of the other arguments. */
  #withGrad(args: readonly unknown[], position: number): readonly unknown[] {
    if (typeof args[position] !== "boolean") throw this.#invalid("requires_grad of a tensor is not a boolean");
    return args;
  }

  #checkExtent(storage: TorchStorage, type: TorchDtype, offset: number, shape: readonly number[], strides: readonly number[]): void {
    const count = shape.reduce((product, length) => product * length, 1);
    if (count === 0) return;
    const last = shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), offset);
    if (!(Number.isSafeInteger(count * type.itemBytes) && (last + 1) * type.itemBytes <= storage.bytes)) {
      const view = `[${shape.join(", ")}] with strides [${strides.join(", ")}] from element ${offset}`;
      throw this.#invalid(`a tensor ${view} goes beyond the ${storage.bytes} bytes of storage "${storage.key}"`);
    }
  }

  #parameter(data: unknown): TorchTensor {
    if (data instanceof TorchTensor) return data;
    throw this.#invalid("a parameter holds no tensor");
  }

  /** A tensor with attributes of its own: `(function, class, arguments, attributes)`. */
  #withAttributes([rebuild, , args]: readonly unknown[]): unknown {
    if (rebuild instanceof PickleGlobal && args instanceof PickleTuple && rebuild.module === "torch._utils") return this.construct(rebuild, args.items);
    throw this.#unsupported(`has a tensor of a class of its own, built by ${rebuild}`);
  }

  #invalid(reason: string): BhBridgeError {
    return formatInvalid(this.#path, this.#offset, `in its pickle, ${reason}`);
  }

  #unsupported(reason: string): BhBridgeError {
    return new BhBridgeError("FORMAT_UNSUPPORTED", `${this.#path} ${reason}, which is not read. Save its state dict of plain tensors instead`);
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
