import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { trainerStateSchema } from "../formats/hf/hf-directory.js";
import { findHistoryTensor, historyTensorNames } from "../formats/history.js";
import { isReadable } from "../formats/stored-tensor.js";
import { type Checkpoint, checkpointKinds } from "../runs/checkpoint.js";
import { openHistory } from "../runs/open-history.js";
import { openCheckpoint } from "../runs/open-run-directory.js";
import { tokenTextOf } from "../runs/recorded-tokens.js";
import { readRunConfig } from "../runs/run-config.js";
import { runFiles } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";

/** Writing systems to tell apart, by their Unicode names (property Script). */
const scripts =
  "Latin Greek Cyrillic Armenian Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Georgian Ethiopic Khmer Mongolian Hangul Hiragana Katakana Han";
const expressions = scripts.split(" ").map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
const lonePart = /<0x[0-9A-F]{2}>/g;
const letter = /\p{L}/u;

/** The writing system of a token's text by its Unicode name; `several`, `other`, or a description of a text without letters. */
export function scriptOf(text: string | null): string {
  if (text === null) return "no text";
  const written = text.replaceAll(lonePart, "");
  if (written === "" && text !== "") return "parts of characters";
  if (!letter.test(written)) return "no letters";
  const found = expressions.filter(({ letters }) => letters.test(written));
  const [only] = found;
  return found.length > 1 ? "several" : (only?.name ?? "other");
}

/** Number of tokens of one writing system. */
interface ScriptTokens {
  script: string;
  /** Tokens that never occur in the corpus. */
  dead: number;
  tokens: number;
}

/** The vocabulary of a run by writing systems, most dead tokens first; undefined if tokens are bytes. @throws {BhBridgeError} `RUN_CORRUPT`. */
function deadScripts(directory: string): ScriptTokens[] | undefined {
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

const count = z.int().nonnegative();

/** The description of a file or directory. */
export const inspectionSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(checkpointKinds),
  tensors: z.array(
    z.strictObject({
      name: z.string(),
      /** As in safetensors. */
      dtype: z.string(),
      shape: z.array(count),
      bytes: count,
      /** Relative to `path`, if that is a directory. */
      file: z.string(),
      /** Why its values cannot be read, and the remedy. */
      unreadable: z.string().optional(),
    }),
  ),
  /** Metadata of the file: safetensors metadata, `config.json`, `run.json`, plain values of a torch archive. */
  metadata: z.record(z.string(), z.json()),
  history: z
    .strictObject({
      tensor: z.string(),
      states: count,
      planned: count,
      /** Number of recorded tokens. */
      tokens: count,
      dims: count,
      /** The token of each row, if chosen tokens were recorded. */
      tokenIds: z.array(count).optional(),
    })
    .optional(),
  /** For a run with a tokenizer: number of tokens per writing system, and of those that never occur in the corpus. */
  scripts: z.array(z.strictObject({ script: z.string(), dead: count, tokens: count })).optional(),
  /** The Hugging Face Trainer's own state, with Python's names. */
  trainerState: trainerStateSchema.optional(),
  /** Python names that loading this file in torch would call. Nothing was called here. */
  notExecuted: z.array(z.string()),
});
export type Inspection = z.output<typeof inspectionSchema>;

/**
 * Describe a file or directory without reading its tensors.
 * @param path anything that `openCheckpoint` supports.
 * @throws {BhBridgeError} as `openCheckpoint`.
 */
export async function inspect(path: string): Promise<Inspection> {
  await using checkpoint = await openCheckpoint(path);
  const { kind, tensors, metadata, trainerState, inertGlobals } = checkpoint;
  const history = await recordedHistory(checkpoint);
  const scripts = kind === "run" ? deadScripts(path) : undefined;
  return {
    path,
    kind,
    tensors: tensors.map(({ name, dtype, shape, bytes, file, unreadable }) => ({
      ...{ name, dtype, shape: [...shape], bytes, file },
      ...(unreadable && { unreadable }),
    })),
    metadata: { ...metadata },
    ...(history && { history }),
    ...(scripts && { scripts }),
    ...(trainerState && { trainerState }),
    notExecuted: [...inertGlobals],
  };
}

async function recordedHistory({ path, tensors }: Checkpoint): Promise<Inspection["history"]> {
  const tensor = findHistoryTensor(tensors);
  if (!tensor || !historyTensorNames.includes(tensor.name) || !isReadable(tensor)) return undefined;
  const history = await openHistory(path, tensor.name);
  const { states, tokens, dims, rowTokens } = history;
  history.close();
  const { ids } = rowTokens;
  return { tensor: tensor.name, states, planned: tensor.shape[0] ?? states, tokens, dims, ...(ids && { tokenIds: [...ids] }) };
}
