import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configInvalid } from "../config/config-invalid.js";
import { isReadFromWeights, type ModelConfig } from "../config/models/families.js";
import { BhBridgeError, type ConfigIssue } from "../errors.js";
import { isDirectory } from "../formats/file-bytes.js";
import { type Gpt2Architecture, type Gpt2Weights, gpt2Weights } from "../formats/hf/gpt2-weights.js";
import { openHfDirectory } from "../formats/hf/hf-directory.js";
import { writeSafetensors } from "../formats/safetensors/safetensors.js";
import { openTensors } from "../runs/open-run-directory.js";

/** The weights of a GPT-2 in a file or directory that is open. */
interface OpenGpt2Weights extends Gpt2Weights {
  close(): void;
}

/** Open the weights of a GPT-2 in any file or directory of tensors. @throws {BhBridgeError} as `gpt2Weights`; what `openCheckpoint` throws. */
async function openGpt2Weights(path: string): Promise<OpenGpt2Weights> {
  const opened = await openTensors(path);
  try {
    return { ...gpt2Weights(opened.tensors, path), close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** What the weights in a file tell of their model. Errors as `openGpt2Weights`. */
export async function gpt2ArchitectureOf(path: string): Promise<Gpt2Architecture> {
  const { architecture, close } = await openGpt2Weights(path);
  close();
  return architecture;
}

type Gpt2Config = Extract<ModelConfig, { type: "gpt2" }>;

const configFile = "config.json";
/** With it transformers would load the model that it names, from wherever that is. */
const adapterFile = "adapter_config.json";

/** A directory in HF layout; a copy goes when it is disposed of. */
interface ModelDirectory extends Disposable {
  readonly path: string;
}

/**
 * The directory from which Python loads a saved model: the one that is named, or, where that is a file or holds pickles, a copy of its weights as safetensors.
 * So nothing that could be executed reaches Python, and no file outside the directory.
 * @param folder where a copy is made, if one is needed.
 * @throws {BhBridgeError} `CONFIG_INVALID` when the configuration is not that of the weights; what `openCheckpoint` throws.
 */
export async function modelDirectory(from: string, model: ModelConfig, folder: string): Promise<ModelDirectory> {
  if (existsSync(join(from, adapterFile))) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${from} holds an adapter of another model (${adapterFile}). Merge the two in Python and save the result`);
  }
  if (isDirectory(from) && existsSync(join(from, configFile)) && holdsSafetensors(from)) return { path: from, [Symbol.dispose]: () => undefined };
  if (!isReadFromWeights(model)) {
    throw new BhBridgeError(
      "FORMAT_UNSUPPORTED",
      `${from} holds no safetensors, and those of a ${model.type} are needed. Save it in Python, with save_pretrained`,
    );
  }
  const { architecture, tensors, close } = await openGpt2Weights(from);
  try {
    const issues = differences(from, model, architecture);
    if (issues.length > 0) throw configInvalid(issues);
    const path = mkdtempSync(join(folder, "model-"));
    const saved = join(from, configFile);
    if (existsSync(saved)) copyFileSync(saved, join(path, configFile));
    else writeFileSync(join(path, configFile), JSON.stringify(hfConfig(model, architecture)));
    const writable = [...tensors].map(([name, tensor]) => ({ name, shape: tensor.shape, rows: tensor.rows() }));
    writeSafetensors(join(path, "model.safetensors"), writable);
    return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
  } finally {
    close();
  }
}

/** Opening it also refuses an index that names files elsewhere. */
function holdsSafetensors(directory: string): boolean {
  const { tensors, close } = openHfDirectory(directory);
  close();
  return tensors.every(({ file }) => file.endsWith(".safetensors"));
}

/** Where the configuration says something else than the weights do. */
function differences(from: string, model: Gpt2Config, { dtype: _, ...told }: Gpt2Architecture): ConfigIssue[] {
  const wanted = { ...model, n_inner: model.n_inner === 4 * model.n_embd ? null : model.n_inner };
  return (Object.keys(told) as (keyof typeof told)[])
    .filter((field) => wanted[field] !== told[field])
    .map((field) => ({
      path: `model.${field}`,
      message: `is ${JSON.stringify(wanted[field])}, and the weights in ${from} have ${JSON.stringify(told[field])}`,
    }));
}

/** What transformers wants to know of a saved model; the width of its numbers is kept until the model's own dtype is taken. */
function hfConfig({ type, from: _from, norm: _norm, dtype: _dtype, ...config }: Gpt2Config, { dtype }: Gpt2Architecture): object {
  return { model_type: type, ...config, dtype };
}
