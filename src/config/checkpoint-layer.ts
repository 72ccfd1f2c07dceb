import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigIssue } from "../errors.js";
import { isPlainObject } from "./json-value.js";
import type { Layer } from "./layer.js";
import { dtypeSchema, gpt2ConfigSchema } from "./model-schema.js";

/**
 * The architecture of a saved GPT-2, as a layer: what its `config.json` says, its own dtype and norm, and the embedding as it was saved.
 *
 * @param directory HF model directory, absolute.
 */
export async function checkpointLayer(directory: string, issues: ConfigIssue[], source: string): Promise<Layer> {
  const nothing: Layer = { values: {}, sourceOf: () => "default" };
  let saved: unknown;
  try {
    saved = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
  } catch (cause) {
    issues.push({ path: "model.from", message: `${directory} is no saved model: its config.json cannot be read (${String(cause)})`, source });
    return nothing;
  }
  if (!isPlainObject(saved) || saved["n_embd"] === undefined) {
    const type = isPlainObject(saved) ? String(saved["model_type"]) : "unknown";
    issues.push({ path: "model.from", message: `${directory} holds a model of type "${type}", and only GPT-2 can be trained on`, source });
    return nothing;
  }
  return { values: { model: savedModel(saved), init: { kind: "normal" } }, sourceOf: () => `checkpoint ${directory}` };
}

function savedModel(saved: Record<string, unknown>): Record<string, unknown> {
  const architecture = Object.entries(saved).filter(([name]) => Object.hasOwn(gpt2ConfigSchema.shape, name));
  const dtype = dtypeSchema.safeParse(saved["dtype"] ?? saved["torch_dtype"]);
  // A model saved with RMSNorm names its own class; every other GPT-2 has LayerNorm.
  const norm = JSON.stringify(saved["architectures"] ?? "").includes("RMSNorm") ? "rmsnorm" : "layernorm";
  return { ...Object.fromEntries(architecture), norm, ...(dtype.success ? { dtype: dtype.data } : {}) };
}
