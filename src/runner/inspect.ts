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

/** Writing systems that have letters of their own, by their names in Unicode (property Script); those with most letters of present texts. */
const scripts = [
  "Latin",
  "Greek",
  "Cyrillic",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Tamil",
  "Telugu",
  "Kannada",
  "Malayalam",
  "Sinhala",
  "Thai",
  "Lao",
  "Tibetan",
  "Myanmar",
  "Georgian",
  "Ethiopic",
  "Khmer",
  "Mongolian",
  "Hangul",
  "Hiragana",
  "Katakana",
  "Han",
] as const;
const expressions = scripts.map((name) => ({ name, letters: new RegExp(`\\p{Script=${name}}`, "u") }));
const lonePart = /<0x[0-9A-F]{2}>/g;
const letter = /\p{L}/u;

/** The writing system of a token's text, by Unicode's name; `several`, `other`, or in words what a text without letters is. */
export function scriptOf(text: string | null): string {
  if (text === null) return "no text";
  const written = text.replaceAll(lonePart, "");
  if (written === "" && text !== "") return "parts of characters";
  if (!letter.test(written)) return "no letters";
  const found = expressions.filter(({ letters }) => letters.test(written));
  const [only] = found;
  return found.length > 1 ? "several" : (only?.name ?? "other");
}

/** The tokens of one writing system. */
interface ScriptTokens {
  script: string;
  /** How many of them the text never has. */
  dead: number;
  tokens: number;
}

/**
 * The vocabulary of a run with a tokenizer by writing systems, that with most dead tokens first; nothing where tokens are bytes.
 * @throws {BhBridgeError} `RUN_CORRUPT`.
 */
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

/** What a file or directory says about itself. */
export const inspectionSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(checkpointKinds),
  tensors: z.array(
    z.strictObject({
      name: z.string(),
      /** As safetensors spells it. */
      dtype: z.string(),
      shape: z.array(count),
      bytes: count,
      /** Relative to `path`, when that is a directory. */
      file: z.string(),
      /** Why its values cannot be read, and what to do about it. */
      unreadable: z.string().optional(),
    }),
  ),
  /** What the file says beside its tensors: safetensors metadata, `config.json`, `run.json`, plain values of a torch archive. */
  metadata: z.record(z.string(), z.json()),
  /** The recorded history, where there is one. */
  history: z
    .strictObject({
      tensor: z.string(),
      states: count,
      planned: count,
      /** How many have a row. */
      tokens: count,
      dims: count,
      /** Which ones, row by row, where chosen tokens alone were recorded. */
      tokenIds: z.array(count).optional(),
    })
    .optional(),
  /** Of a run with a tokenizer: its tokens by the writing system of their text, and how many the corpus never has. */
  scripts: z.array(z.strictObject({ script: z.string(), dead: count, tokens: count })).optional(),
  /** The Hugging Face Trainer's own state, with Python's names. */
  trainerState: trainerStateSchema.optional(),
  /** Python names that loading this file in torch would call. Nothing was called here. */
  notExecuted: z.array(z.string()),
});
export type Inspection = z.output<typeof inspectionSchema>;

/**
 * Everything that a file or directory says about itself, without reading its tensors.
 * @param path anything that `openCheckpoint` opens.
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
