import { type ConfigSources, loadRunConfig as loadFromSources, type ResolvedConfig } from "../config/load-run-config.js";

/**
 * Put a configuration together from its sources and check it. The saved model that it starts from may be any file that holds the weights of a GPT-2.
 *
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, each with its path, its source, and what is accepted.
 */
export async function loadRunConfig(sources: ConfigSources = {}): Promise<ResolvedConfig> {
  return loadFromSources(sources, describeWeights);
}

// The readers of files are loaded for those who need them.
async function describeWeights(path: string): Promise<object> {
  const { gpt2ArchitectureOf } = await import("./open-gpt2-weights.js");
  return gpt2ArchitectureOf(path);
}
