import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseRunConfig } from "../config/parse-run-config.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
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
  const path = join(directory, runFiles.config);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new BhBridgeError("RUN_NOT_FOUND", `there is no run in ${directory}: it has no readable ${runFiles.config}`, { cause });
  }
  try {
    return parseRunConfig(JSON.parse(text));
  } catch (cause) {
    throw new BhBridgeError("RUN_CORRUPT", `${path} is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
