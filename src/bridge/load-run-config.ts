import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CheckpointReaders } from "../config/checkpoint-layer.js";
import { configInvalid } from "../config/config-invalid.js";
import { type ConfigFile, readConfigFile } from "../config/read-config-file.js";
import { type ConfigSources, type ResolvedConfig, resolveRunConfig } from "../config/resolve-run-config.js";
import { BhBridgeError } from "../errors.js";
import type { SavedConfigRequest } from "../python/run-python-script.js";
import { readRunConfig } from "../runs/run-config.js";
import { isRunDirectory } from "../runs/run-layout.js";

/**
 * Merge a configuration from its sources and check it. Its file may be the directory of a run, and `model.from` any saved model, or any file with the weights of a GPT-2.
 * @throws {BhBridgeError} `CONFIG_INVALID` with path, source and accepted values of all problems at once.
 */
export async function loadRunConfig(sources: ConfigSources = {}): Promise<ResolvedConfig> {
  return resolveRunConfig(sources, { readFile: readFileOrRun, checkpoint: { describeWeights, readSaved, isOfRun, countVocabulary } });
}

async function readFileOrRun(path: string, cwd: string): Promise<ConfigFile> {
  const directory = resolve(cwd, path);
  if (!isFolder(directory)) return readConfigFile(path, cwd);
  try {
    return { layer: { values: readRunConfig(directory), sourceOf: () => path } };
  } catch (cause) {
    throw cause instanceof BhBridgeError ? configInvalid([{ path, message: cause.message }], cause) : cause;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // the reader of the path reports the error
  }
}

/** A model in `final/`, or in a checkpoint one folder below. */
function isOfRun(directory: string): boolean {
  return [dirname(directory), dirname(dirname(directory))].some(isRunDirectory);
}

// Imported lazily, since few configurations require the file readers.
async function describeWeights(path: string): Promise<object> {
  const { gpt2ArchitectureOf } = await import("./model-directory.js");
  return gpt2ArchitectureOf(path);
}

/** What transformers has read, by interpreter and content: a sweep loads the configuration of every trial. */
const saved = new Map<string, ReturnType<CheckpointReaders["readSaved"]>>();

const readSaved: CheckpointReaders["readSaved"] = async (directory, family, python) => {
  const request = { directory, ...family };
  const key = JSON.stringify([request, python, readFileSync(join(directory, "config.json"), "utf8")]);
  const read = saved.get(key) ?? readInPython(request, python);
  saved.set(key, read);
  read.catch(() => saved.delete(key));
  return read;
};

async function readInPython(request: SavedConfigRequest, python: string | undefined): ReturnType<CheckpointReaders["readSaved"]> {
  const [{ resolvePython }, { readSavedConfig }] = await Promise.all([import("../python/require-packages.js"), import("../python/run-python-script.js")]);
  const { path } = await resolvePython(python === undefined ? {} : { config: python });
  return readSavedConfig(path, request);
}

const countVocabulary: CheckpointReaders["countVocabulary"] = async ({ code, class: name, fields = {}, embedding = null }, python) => {
  if (!existsSync(String(code))) return 0; // reported with all other problems
  const [{ resolvePython }, { readOwnVocabulary }] = await Promise.all([import("../python/require-packages.js"), import("../python/run-python-script.js")]);
  const { path } = await resolvePython(typeof python === "string" ? { config: python } : {});
  return readOwnVocabulary(path, { path: String(code), class: String(name), fields, embedding });
};
