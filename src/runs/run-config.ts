import { join } from "node:path";
import { parseRunConfig } from "../config/parse-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { readRunJson } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";

/** The content of `config.json`: the resolved configuration, complete. */
export function runConfigText(config: RunConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * Read the configuration of a run from its `config.json`.
 *
 * @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`.
 */
export function readRunConfig(directory: string): RunConfig {
  const values = readRunJson(directory, runFiles.config);
  try {
    return parseRunConfig(values);
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    throw new BhBridgeError("RUN_CORRUPT", `${join(directory, runFiles.config)} is damaged: ${cause.message}`, { cause });
  }
}
