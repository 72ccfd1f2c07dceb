import { existsSync } from "node:fs";
import { join } from "node:path";
import { scriptOf } from "../text/script-of.js";
import { tokenTextOf } from "./recorded-tokens.js";
import { readRunConfig } from "./run-config.js";
import { runFiles } from "./run-layout.js";
import { readRunManifest } from "./run-manifest.js";

/** The tokens of one writing system. */
export interface ScriptTokens {
  script: string;
  /** How many of them the text never has. */
  dead: number;
  tokens: number;
}

/**
 * The vocabulary of a run with a tokenizer by writing systems, that with most dead tokens first; nothing where tokens are bytes.
 *
 * @throws {BhBridgeError} `RUN_CORRUPT`.
 */
export function deadScripts(directory: string): ScriptTokens[] | undefined {
  if (!existsSync(join(directory, runFiles.tokenizer)) || !existsSync(join(directory, runFiles.manifest))) return undefined;
  const config = readRunConfig(directory);
  const text = tokenTextOf(directory, config);
  if (config.data.tokenizer === null || !text) return undefined;
  const dead = new Set(readRunManifest(directory).corpus.deadTokens);
  const found = new Map<string, ScriptTokens>();
  for (let token = 0; token < config.model.vocab_size; token++) {
    const script = scriptOf(text(token));
    const counted = found.get(script) ?? { script, dead: 0, tokens: 0 };
    found.set(script, { script, dead: counted.dead + (dead.has(token) ? 1 : 0), tokens: counted.tokens + 1 });
  }
  return [...found.values()].sort((a, b) => b.dead - a.dead || b.tokens - a.tokens);
}
