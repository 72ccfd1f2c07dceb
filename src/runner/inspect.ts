import { z } from "zod";
import { trainerStateSchema } from "../formats/hf/trainer-state.js";
import { findHistoryTensor, historyTensorNames } from "../formats/history-tensor.js";
import { isReadable } from "../formats/stored-tensor.js";
import { type Checkpoint, checkpointKinds } from "../runs/checkpoint.js";
import { deadScripts } from "../runs/dead-scripts.js";
import { openCheckpoint } from "../runs/open-checkpoint.js";
import { openHistory } from "../runs/open-history.js";

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
 *
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
