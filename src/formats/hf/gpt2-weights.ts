import { BhBridgeError } from "../../errors.js";
import { plainTensorName } from "../find-tensor.js";
import { readMatrix, type StoredTensor } from "../stored-tensor.js";

/** What the names and shapes of its weights tell of a GPT-2, by GPT2Config's names; not how many heads it has. */
export interface Gpt2Architecture {
  readonly norm: "rmsnorm" | "layernorm";
  readonly dtype: "bfloat16" | "float32";
  readonly vocab_size: number;
  readonly n_positions: number;
  readonly n_embd: number;
  readonly n_layer: number;
  readonly n_inner: number | null;
  readonly tie_word_embeddings: boolean;
}

/** The weights of a GPT-2 in an open file, by the names that GPT2LMHeadModel gives them. */
export interface Gpt2Weights {
  readonly architecture: Gpt2Architecture;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

type Shape = readonly number[];

/** A weight's name, behind what the surrounding program put in front of it. */
const weightPattern = /^(?<prefix>(?:.*?\.)??)(?:transformer\.)?(?<name>(?:wte|wpe|ln_f|lm_head)\.(?:weight|bias)|h\.\d+\..+)$/;
/** The causal mask, which older versions of transformers saved beside the weights. */
const maskPattern = /\.attn\.(?:bias|masked_bias)$/;
const head = "lm_head.weight";
const bodyPrefix = "transformer.";

/**
 * The weights of the one GPT-2 among the tensors of a file or directory: a state dict, alone or among the other things that a training script saves.
 * @param path where the tensors lie, for messages.
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` when they hold no GPT-2, several, or a part of one.
 */
export function gpt2Weights(all: readonly StoredTensor[], path: string): Gpt2Weights {
  const found = oneModel(all, path);
  const architecture = architectureOf(found, path);
  checkShapes(found, architecture, path);
  const kept = [...found].filter(([name]) => !(architecture.tie_word_embeddings && name === head));
  return { architecture, tensors: new Map(kept.map(([name, tensor]) => [name === head ? head : bodyPrefix + name, tensor])) };
}

function noGpt2(path: string, reason: string): BhBridgeError {
  return new BhBridgeError("FORMAT_UNSUPPORTED", `${path} does not hold the weights of a GPT-2: ${reason}`);
}

/** The weights of the one GPT-2 in a file, by their names without `transformer.`. */
function oneModel(tensors: readonly StoredTensor[], path: string): Map<string, StoredTensor> {
  const models = new Map<string, Map<string, StoredTensor>>();
  for (const tensor of tensors) {
    const { prefix = "", name } = weightPattern.exec(plainTensorName(tensor.name))?.groups ?? {};
    if (name === undefined || maskPattern.test(name)) continue;
    const model = models.get(prefix) ?? new Map<string, StoredTensor>();
    if (model.has(name)) throw noGpt2(path, `it has two, one with "${model.get(name)?.name}" and one with "${tensor.name}". Save one of them alone`);
    models.set(prefix, model.set(name, tensor));
  }
  const [model, second] = [...models.values()].filter((weights) => weights.has("wte.weight"));
  if (!model) throw noGpt2(path, "it has no tensor wte.weight");
  if (second)
    throw noGpt2(path, `it has two, one with "${model.get("wte.weight")?.name}" and one with "${second.get("wte.weight")?.name}". Save one of them alone`);
  return model;
}

function architectureOf(weights: ReadonlyMap<string, StoredTensor>, path: string): Gpt2Architecture {
  const shapeOf = (name: string): Shape => {
    const tensor = weights.get(name);
    if (tensor?.shape.length === 2) return tensor.shape;
    throw noGpt2(path, tensor ? `${name} has the shape [${tensor.shape.join(", ")}], which is not a matrix` : `it has no tensor ${name}`);
  };
  const [vocab_size = 0, n_embd = 0] = shapeOf("wte.weight");
  const [n_positions = 0] = shapeOf("wpe.weight");
  const [, inner = 0] = shapeOf("h.0.mlp.c_fc.weight");
  const blocks = new Set([...weights.keys()].flatMap((name) => /^h\.(\d+)\./.exec(name)?.[1] ?? []));
  const isBfloat16 = [...weights.values()].every(({ dtype }) => dtype === "BF16");
  return {
    norm: weights.has("ln_f.bias") ? "layernorm" : "rmsnorm",
    dtype: isBfloat16 ? "bfloat16" : "float32",
    vocab_size,
    n_positions,
    n_embd,
    n_layer: blocks.size,
    n_inner: inner === 4 * n_embd ? null : inner,
    tie_word_embeddings: isTied(weights),
  };
}

/** A state dict names a matrix that serves as embedding and as output head twice, or once. */
function isTied(weights: ReadonlyMap<string, StoredTensor>): boolean {
  const [embedding, output] = [weights.get("wte.weight"), weights.get(head)];
  if (!(embedding && output)) return true;
  if (embedding.dtype !== output.dtype || embedding.bytes !== output.bytes) return false;
  return Buffer.compare(readMatrix(embedding).bytes, readMatrix(output).bytes) === 0;
}

function checkShapes(weights: ReadonlyMap<string, StoredTensor>, architecture: Gpt2Architecture, path: string): void {
  const expected = expectedShapes(architecture);
  for (const [name, shape] of expected) {
    const found = weights.get(name)?.shape;
    if (!found) throw noGpt2(path, `it has no tensor ${name}`);
    if (found.join() === shape.join()) continue;
    const transposed = found.length === 2 && [...found].reverse().join() === shape.join();
    const remedy = transposed ? ". It was saved by a model with nn.Linear: transpose the weights of attn and mlp" : "";
    throw noGpt2(path, `${name} has the shape [${found.join(", ")}], not [${shape.join(", ")}]${remedy}`);
  }
  const surplus = [...weights.keys()].find((name) => name !== head && !expected.has(name));
  if (surplus !== undefined) throw noGpt2(path, `${surplus} does not belong to one with ${architecture.norm}`);
}

/** The shapes of `Conv1D`, whose weights are [inputs, outputs]. */
function expectedShapes({ norm, vocab_size, n_positions, n_embd, n_layer, n_inner }: Gpt2Architecture): Map<string, Shape> {
  const inner = n_inner ?? 4 * n_embd;
  const ofNorm = (name: string): [string, Shape][] => [
    [`${name}.weight`, [n_embd]],
    ...(norm === "layernorm" ? [[`${name}.bias`, [n_embd]] as [string, Shape]] : []),
  ];
  const ofLinear = (name: string, inputs: number, outputs: number): [string, Shape][] => [
    [`${name}.weight`, [inputs, outputs]],
    [`${name}.bias`, [outputs]],
  ];
  const blocks = Array.from({ length: n_layer }, (_, index) => `h.${index}`).flatMap((block) => [
    ...ofNorm(`${block}.ln_1`),
    ...ofLinear(`${block}.attn.c_attn`, n_embd, 3 * n_embd),
    ...ofLinear(`${block}.attn.c_proj`, n_embd, n_embd),
    ...ofNorm(`${block}.ln_2`),
    ...ofLinear(`${block}.mlp.c_fc`, n_embd, inner),
    ...ofLinear(`${block}.mlp.c_proj`, inner, n_embd),
  ]);
  return new Map([["wte.weight", [vocab_size, n_embd]], ["wpe.weight", [n_positions, n_embd]], ...blocks, ...ofNorm("ln_f")]);
}
