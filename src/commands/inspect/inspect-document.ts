import { z } from "zod";
import { checkpointKinds } from "../../formats/checkpoint.js";
import { trainerStateSchema } from "../../formats/hf/trainer-state.js";

const count = z.int().nonnegative();

/** The document of `inspect --json`. */
export const inspectDocumentSchema = z.strictObject({
  schema: z.literal("bh-bridge/inspect@1"),
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
  /** The Hugging Face Trainer's own state, with Python's names. */
  trainerState: trainerStateSchema.optional(),
  /** Python names that loading this file in torch would call. Nothing was called here. */
  notExecuted: z.array(z.string()),
  /** What can be done with it. */
  next: z.array(z.strictObject({ does: z.string(), command: z.string() })),
});
export type InspectDocument = z.output<typeof inspectDocumentSchema>;
