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

/** Open the weights of a GPT-2 in any file or directory of tensors. @throws {BhBridgeError} as `gpt2Weights` and `openCheckpoint`. */
async function openGpt2Weights(path: string): Promise<Gpt2Weights & { close(): void }> {
  const opened = await openTensors(path);
  try {
    return { ...gpt2Weights(opened.tensors, path), close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** The architecture that the weights in a file imply. @throws {BhBridgeError} as `openGpt2Weights`. */
export async function gpt2ArchitectureOf(path: string): Promise<Gpt2Architecture> {
  const { architecture, close } = await openGpt2Weights(path);
  close();
  return architecture;
}

type Gpt2Config = Extract<ModelConfig, { type: "gpt2" }>;

const configFile = "config.json";
/** transformers would follow this file to another model, wherever that is. */
const adapterFile = "adapter_config.json";

/**
 * The directory from which Python loads a saved model: `from`, or a copy of its weights as safetensors if `from` is a file or holds pickles. So Python reads
 * nothing executable, and no file outside the directory. Disposing of the result removes the copy.
 * @param folder parent of the copy.
 * @throws {BhBridgeError} `CONFIG_INVALID` if configuration and weights disagree; `FORMAT_UNSUPPORTED`; as `openCheckpoint`.
 */
export async function modelDirectory(from: string, model: ModelConfig, folder: string): Promise<{ readonly path: string } & Disposable> {
  if (existsSync(join(from, adapterFile))) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `${from} holds an adapter of another model (${adapterFile}). Merge both in Python and save the result`);
  }
  if (isDirectory(from) && existsSync(join(from, configFile)) && holdsSafetensors(from)) return { path: from, [Symbol.dispose]: () => undefined };
  if (!isReadFromWeights(model)) return convertedDirectory(from, folder);
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

/** A copy of a saved model with its pickles as safetensors: the same tensors, in their dtypes. */
function convertedDirectory(from: string, folder: string): { readonly path: string } & Disposable {
  const { tensors, close } = openHfDirectory(from);
  try {
    const path = mkdtempSync(join(folder, "model-"));
    copyFileSync(join(from, configFile), join(path, configFile));
    writeSafetensors(
      join(path, "model.safetensors"),
      tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape, rows: tensor.rows() })),
    );
    return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
  } finally {
    close();
  }
}

/** Opening the directory also refuses an index that names files elsewhere. */
function holdsSafetensors(directory: string): boolean {
  const { tensors, close } = openHfDirectory(directory);
  close();
  return tensors.every(({ file }) => file.endsWith(".safetensors"));
}

/** Fields in which the configuration contradicts the weights. */
function differences(from: string, model: Gpt2Config, { dtype: _, ...found }: Gpt2Architecture): ConfigIssue[] {
  const wanted = { ...model, n_inner: model.n_inner === 4 * model.n_embd ? null : model.n_inner };
  return (Object.keys(found) as (keyof typeof found)[]).flatMap((field) => {
    const message = `is ${JSON.stringify(wanted[field])}, but the weights in ${from} have ${JSON.stringify(found[field])}`;
    return wanted[field] === found[field] ? [] : [{ path: `model.${field}`, message }];
  });
}

/** The `config.json` of a saved model. Weights keep the stored dtype until they are cast to the model's. */
function hfConfig({ type, from: _from, norm: _norm, dtype: _dtype, ...config }: Gpt2Config, { dtype }: Gpt2Architecture): object {
  return { model_type: type, ...config, dtype };
}
