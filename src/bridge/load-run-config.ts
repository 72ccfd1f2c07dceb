import { statSync } from "node:fs";
import { resolve } from "node:path";
import { configInvalid } from "../config/config-invalid.js";
import { type ConfigFile, readConfigFile } from "../config/read-config-file.js";
import { type ConfigSources, type ResolvedConfig, resolveRunConfig } from "../config/resolve-run-config.js";
import { BhBridgeError } from "../errors.js";
import { readRunConfig } from "../runs/run-config.js";

/**
 * Put a configuration together from its sources and check it. Its file may be the directory of a run, and the saved model that it starts from any file that
 * holds the weights of a GPT-2.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, each with its path, its source, and what is accepted.
 */
export async function loadRunConfig(sources: ConfigSources = {}): Promise<ResolvedConfig> {
  return resolveRunConfig(sources, { readFile: readFileOrRun, describeWeights });
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
    return false; // what cannot be seen is told of by whoever reads it
  }
}

// The readers of files are loaded for those who need them.
async function describeWeights(path: string): Promise<object> {
  const { gpt2ArchitectureOf } = await import("./model-directory.js");
  return gpt2ArchitectureOf(path);
}
