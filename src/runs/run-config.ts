import { createHash } from "node:crypto";
import { join } from "node:path";
import { configSchemaFrom } from "../config/json-schema.js";
import { withCode } from "../config/own-code.js";
import { parseRunConfig } from "../config/parse-run-config.js";
import { deviceKind } from "../config/run-config-fields.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { readRunJson } from "./read-run-json.js";
import { runFiles } from "./run-layout.js";
import type { CorpusFacts, RunManifest } from "./run-manifest.js";

/**
 * The content of `config.json`: the resolved configuration, complete but for the source of the user's code, which the run has as files. In a project that contains
 * this package, `$schema` tells editors its JSON Schema.
 * @param directory of the run.
 */
export function runConfigText(config: RunConfig, directory: string): string {
  const $schema = configSchemaFrom(directory);
  const values = withCode(config, ({ path, sha256 }) => ({ path, sha256 }));
  return `${JSON.stringify({ ...($schema !== undefined && { $schema }), ...values }, null, 2)}\n`;
}

/** The configuration that was read last: a list reads that of each run for its row, its tokens and its filters, and the check takes the most time. */
let last: { readonly directory: string; readonly text: string; readonly config: RunConfig } | undefined;

/** Read the configuration of a run from its `config.json`. @throws {BhBridgeError} `RUN_NOT_FOUND`, `RUN_CORRUPT`. */
export function readRunConfig(directory: string): RunConfig {
  const { $schema: _, ...values } = Object(readRunJson(directory, runFiles.config)) as Record<string, unknown>;
  const text = JSON.stringify(values);
  if (last?.directory === directory && last.text === text) return structuredClone(last.config);
  let hasCode = false; // whose files are read and checked each time
  try {
    const config = parseRunConfig(
      withCode(values, (code, copy) => {
        hasCode = true;
        return { ...code, path: join(directory, copy) };
      }),
    );
    last = hasCode ? undefined : { directory, text, config: structuredClone(config) };
    return config;
  } catch (cause) {
    if (!(cause instanceof BhBridgeError)) throw cause;
    throw new BhBridgeError("RUN_CORRUPT", `${join(directory, runFiles.config)} is damaged: ${cause.message}`, { cause });
  }
}

/** Everything that determines the bits of a training. */
interface TrialFacts {
  configHash: string;
  /** From `corpusIdentity`. */
  corpus: string;
  /** `cpu`, `cuda` or `mps`. */
  device: string;
  /** `any` if the number does not change the bits. */
  threads: number | "any";
}

/** The number of threads in the identity of a trial. */
export function threadsInBits(engine: string | undefined, threads: number): TrialFacts["threads"] {
  return engine === "portable" ? "any" : threads;
}

/** Hexadecimal digits of an identity (64 bits): two of a million trials collide with a probability of one in ten million. */
const digits = 16;

/** The identity of a corpus's tokens: SHA-256 of the text, and of the tokenizer, if any. */
export function corpusIdentity({ sha256, tokenizer }: Pick<CorpusFacts, "sha256" | "tokenizer">): string {
  return tokenizer ? `${sha256} ${tokenizer.sha256}` : sha256;
}

/** The identity of a trial: equal for trainings that compute the same, wherever they run. */
export function trialIdentity({ configHash, corpus, device, threads }: TrialFacts): string {
  return createHash("sha256").update(`${configHash}\n${corpus}\n${device}\n${threads}`).digest("hex").slice(0, digits);
}

/** The identity of the trial of a run. */
export function trialOfRun({ config_hash, corpus, environment, engine }: RunManifest): string {
  const threads = threadsInBits(engine, environment.threads);
  return trialIdentity({ configHash: config_hash, corpus: corpusIdentity(corpus), device: deviceKind(environment.device), threads });
}
