import { distance } from "fastest-levenshtein";
import { BhBridgeError } from "../errors.js";
import { plainTensorName } from "./plain-tensor-name.js";
import type { StoredTensor } from "./stored-tensor.js";

/** GPT-2's own modules save their names without this prefix, models built on them with it. */
const modulePrefix = "transformer.";

/** What `record.tensors` calls the embedding, and the name that its history has in the file of a run. */
const recordedEmbedding = "wte";
const embeddingHistory = "embedding_history";

/** So many near names are told: enough to spot a slip, few enough to read. */
const suggestions = 3;
/** Edit distances are taken over at most so many names of at most so many characters, so that a hostile list of names costs no more than a second. */
const comparedNames = 20_000;
const comparedCharacters = 200;

/**
 * The tensor of a name; names with and without `transformer.` in front find each other, and so do names with and without Python's wrappers. `wte` of a run is the history of its embedding.
 *
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND` naming the nearest names.
 */
export function findTensor(tensors: readonly StoredTensor[], name: string, source: string): StoredTensor {
  const other = name.startsWith(modulePrefix) ? name.slice(modulePrefix.length) : modulePrefix + name;
  const found = tensors.find((tensor) => tensor.name === name) ?? tensors.find((tensor) => tensor.name === other);
  if (found) return found;
  if (name === recordedEmbedding) {
    const history = tensors.find((tensor) => tensor.name === embeddingHistory);
    if (history) return history;
  }
  const [wrapped, second] = tensors.filter((tensor) => unwrapped(tensor.name) === unwrapped(name));
  if (wrapped && second) throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} has several tensors "${name}": name "${wrapped.name}" or "${second.name}"`);
  if (wrapped) return wrapped;
  throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} has no tensor "${name}"; ${nearest(tensors, name)}`);
}

function unwrapped(name: string): string {
  const plain = plainTensorName(name);
  return plain.startsWith(modulePrefix) ? plain.slice(modulePrefix.length) : plain;
}

function nearest(tensors: readonly StoredTensor[], name: string): string {
  if (tensors.length === 0) return "it has no tensors at all";
  const wanted = name.slice(0, comparedCharacters);
  const ranked = tensors
    .slice(0, comparedNames)
    .map((tensor) => ({ name: tensor.name, distance: distance(wanted, tensor.name.slice(0, comparedCharacters)) }))
    .sort((a, b) => a.distance - b.distance);
  const names = ranked.slice(0, suggestions).map((one) => `"${one.name}"`);
  return names.length === tensors.length ? `it has ${names.join(", ")}` : `nearest of its ${tensors.length}: ${names.join(", ")}`;
}
