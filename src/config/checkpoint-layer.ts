import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BhBridgeError, type ConfigIssue } from "../errors.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layer.js";
import { dtypeSchema, gpt2ConfigSchema } from "./model-schema.js";

/** Says by the names of the section `model` what the weights in a file tell of their model. Only the folders above can read such files. */
export type DescribeWeights = (path: string) => Promise<object>;

/** A saved model as a layer, and whether it says everything that a model is built from. */
interface CheckpointLayer extends Layer {
  isWhole: boolean;
}

/**
 * The architecture of a saved GPT-2, as a layer: what its `config.json` says, or else its weights; its own dtype and norm; the embedding as it was saved.
 *
 * @param path HF model directory or a file of weights, absolute.
 */
export async function checkpointLayer(path: string, issues: ConfigIssue[], source: string, describe?: DescribeWeights): Promise<CheckpointLayer> {
  const sourceOf = (): string => `checkpoint ${path}`;
  const found = existsSync(path) ? statSync(path) : undefined; // what may not be seen is told of where it is read
  const saysItself = !found || existsSync(join(path, "config.json"));
  if (saysItself || (!describe && found.isDirectory())) return { ...(await configLayer(path, issues, source)), sourceOf, isWhole: true };
  if (!describe) return { values: {}, sourceOf, isWhole: true }; // somebody has described it before: a model that was built, a run
  try {
    return { values: { model: { ...(await describe(path)) }, init: { kind: "normal" } }, sourceOf, isWhole: false };
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    issues.push({ path: "model.from", message: cause.message, source });
    return { values: {}, sourceOf, isWhole: true };
  }
}

async function configLayer(directory: string, issues: ConfigIssue[], source: string): Promise<Pick<Layer, "values">> {
  const nothing = { values: {} };
  let saved: unknown;
  try {
    saved = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
  } catch (cause) {
    issues.push({ path: "model.from", message: `${directory} is not a saved model: ${reasonAgainst(directory, cause)}`, source });
    return nothing;
  }
  if (!isPlainObject(saved) || saved["n_embd"] === undefined) {
    const type = isPlainObject(saved) ? String(saved["model_type"]) : "unknown";
    issues.push({ path: "model.from", message: `${directory} holds a model of type "${type}", and only GPT-2 can be trained on`, source });
    return nothing;
  }
  return { values: { model: savedModel(saved), init: { kind: "normal" } } };
}

/** Why a directory gives no configuration of a model, and what to give instead. */
function reasonAgainst(directory: string, cause: unknown): string {
  if (cause instanceof SyntaxError) return `its config.json is not JSON: ${cause.message}`;
  const { code, message } = cause as NodeJS.ErrnoException;
  const remedy = "Give the folder of a saved GPT-2, the name or folder of a run, or a file of weights";
  if (code === "EACCES") return "it may not be read";
  if (code !== "ENOENT" && code !== "ENOTDIR") return `its config.json cannot be read (${message})`;
  return existsSync(directory) ? `it has no config.json. ${remedy}` : `there is no such folder or file. ${remedy}`;
}

function savedModel(saved: Record<string, unknown>): Record<string, unknown> {
  const architecture = Object.entries(saved).filter(([name]) => Object.hasOwn(gpt2ConfigSchema.shape, name));
  const dtype = dtypeSchema.safeParse(saved["dtype"] ?? saved["torch_dtype"]);
  // A model saved with RMSNorm names its own class; every other GPT-2 has LayerNorm.
  const norm = JSON.stringify(saved["architectures"] ?? "").includes("RMSNorm") ? "rmsnorm" : "layernorm";
  // Transformers takes a model that does not say for float32, which also holds every number of a float16.
  return { ...Object.fromEntries(architecture), norm, dtype: dtype.success ? dtype.data : "float32" };
}
