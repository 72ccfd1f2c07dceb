import { formatInvalid } from "../file-bytes.js";
import { PickleDict, PickleFloat, PickleInstance, PickleList, PickleTuple } from "./pickle-cursor.js";
import { TorchTensor } from "./torch-pickle.js";

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
