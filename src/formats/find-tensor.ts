import { distance } from "fastest-levenshtein";
import { BhBridgeError } from "../errors.js";
import { findHistoryTensor, historyTensorNames } from "./history.js";
import type { StoredTensor, TensorInfo } from "./stored-tensor.js";

/** Parts of a name that come from pickled modules, `torch.compile` and `DataParallel`. */
const wrappers: ReadonlySet<string> = new Set(["_parameters", "_buffers", "_modules", "_orig_mod", "module"]);
/** Keys under which training scripts save a state dict. */
const dicts: ReadonlySet<string> = new Set(["model_state_dict", "state_dict", "model"]);

/** The name of a tensor in its model: `transformer.wte.weight` for `model_state_dict.module.transformer.wte._parameters.weight`. */
export function plainTensorName(name: string): string {
  const parts = name.split(".").filter((part) => !wrappers.has(part));
  const first = parts.findIndex((part) => !dicts.has(part));
  return first < 0 ? name : parts.slice(first).join(".");
}

/** GPT-2's own modules save their names without this prefix, models built on them with it. */
const modulePrefix = "transformer.";

/** Name of the embedding in `record.tensors`, and of its history in a run's file. */
const recordedEmbedding = "wte";
const embeddingHistory = "embedding_history";

/** Number of similar names in a message. */
const suggestions = 3;
/** Bounds on the names compared by edit distance, so that a hostile file costs at most a second. */
const comparedNames = 20_000;
const comparedCharacters = 200;

/**
 * The tensor of a name; a leading `transformer.` and Python's wrappers are ignored. `wte` of a run is the history of its embedding.
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

/** How token embeddings are called at the end of their name: GPT-2, Llama and Qwen, GPT-NeoX, BERT, and models of one's own. */
const embeddingNames: readonly string[] = [
  "wte.weight",
  "embed_tokens.weight",
  "embed_in.weight",
  "word_embeddings.weight",
  "tok_embeddings.weight",
  "embedding.weight",
  "embeddings.weight",
];

/** Maximum number of names in a message. */
const namesTold = 12;

/**
 * The embedding among a file's tensors, when none is named: a recorded history, a tensor with an embedding's usual name, the only matrix, or the only tensor
 * `[states, tokens, dims]`, in this order.
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND` naming the matrices when none of them stands out.
 */
export function findEmbedding(tensors: readonly StoredTensor[], source: string, metadata: Readonly<Record<string, unknown>> = {}): StoredTensor {
  const found = outstandingEmbedding(tensors, metadata);
  if (found) return found;
  throw new BhBridgeError("TENSOR_NOT_FOUND", `${source} has ${choices(tensors.filter(isMatrix))}`);
}

/** As `findEmbedding`, or nothing when none stands out. @param metadata of the file; the `config.json` of a model of the user's own code names it. */
export function outstandingEmbedding<Tensor extends TensorInfo>(
  tensors: readonly Tensor[],
  { config }: Readonly<Record<string, unknown>> = {},
): Tensor | undefined {
  const told = tensors.find(({ name }) => typeof config === "object" && config !== null && "embedding" in config && name === config.embedding);
  if (told) return told;
  const history = findHistoryTensor(tensors);
  if (history && historyTensorNames.includes(history.name)) return history;
  const matrices = tensors.filter(isMatrix);
  const named = matrices.map((tensor) => ({ tensor, plain: plainTensorName(tensor.name) }));
  for (const name of embeddingNames) {
    const [first, second] = named.filter(({ plain }) => plain === name || plain.endsWith(`.${name}`));
    if (first && !second) return first.tensor;
  }
  if (matrices.length === 0) return history;
  return matrices.length === 1 ? matrices[0] : undefined;
}

function isMatrix(tensor: TensorInfo): boolean {
  return tensor.shape.length === 2;
}

function choices(matrices: readonly TensorInfo[]): string {
  if (matrices.length === 0) return "no matrix and no history [states, tokens, dims]";
  const names = matrices.slice(0, namesTold).map((tensor) => tensor.name);
  const more = matrices.length > namesTold ? `, and ${matrices.length - namesTold} more` : "";
  return `${matrices.length} matrices, and none is called as an embedding is; name one of ${names.join(", ")}${more}`;
}

/** Usual ends of the names of output embeddings: most models, GPT-NeoX, models of one's own, BERT and RoBERTa. */
const headNames: readonly string[] = [
  "lm_head.weight",
  "embed_out.weight",
  "output.weight",
  "output_layer.weight",
  "predictions.decoder.weight",
  "lm_head.decoder.weight",
  "head.weight",
];

/** The output embedding of a model: a matrix with its usual name and the shape of the input embedding. Undefined if the file has none, as for a tied model. */
export function outputEmbedding<Tensor extends TensorInfo>(tensors: readonly Tensor[], [rows, columns]: readonly [number, number]): Tensor | undefined {
  const matrices = tensors.filter(({ shape }) => shape.length === 2 && shape[0] === rows && shape[1] === columns);
  const named = matrices.map((tensor) => ({ tensor, plain: plainTensorName(tensor.name) }));
  return headNames.flatMap((name) => named.filter(({ plain }) => plain === name || plain.endsWith(`.${name}`)))[0]?.tensor;
}
