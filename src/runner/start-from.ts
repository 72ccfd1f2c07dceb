import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { openEmbedding } from "../runs/open-embedding.js";
import { finalFolder, isRunDirectory } from "../runs/run-layout.js";
import { count } from "../text/format.js";

/** The part of a configuration that determines where a training starts. */
export type StartingPoint = { model: { from: string } } | { init: { kind: "file"; path: string; step: number }; model: { vocab_size: number; n_embd: number } };

const startFromArguments = z.strictObject({ path: z.string(), step: z.int().nonnegative().optional() });

/**
 * The starting point of a training, for its configuration: the model of a checkpoint, the final model of a run, or with `step` the recorded embedding after
 * that step, with its sizes.
 * @param path saved model, run, or with `step` any file with a recorded history.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, a run without a final model, a step that was not recorded, and a run that recorded chosen rows; as
 *   `openCheckpoint`.
 */
export async function startFrom(path: string, options: { step?: number | undefined } = {}): Promise<StartingPoint> {
  const { step } = callArguments("startFrom", startFromArguments, { ...options, path });
  if (step === undefined) return { model: { from: isRunDirectory(path) ? finalModel(path) : path } };
  const embedding = await openEmbedding(path, { step });
  try {
    const { shape, rows } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) throw new BhBridgeError("USAGE", `${path} recorded ${shape[0]} of ${count(vocabulary, "row")}: an initial embedding requires all of them`);
    const [vocab_size, n_embd] = shape;
    return { init: { kind: "file", path, step }, model: { vocab_size, n_embd } };
  } finally {
    embedding.close();
  }
}

function finalModel(run: string): string {
  const final = join(run, finalFolder);
  if (existsSync(final)) return final;
  throw new BhBridgeError("USAGE", `${run} has no final model: resume it with "bh-bridge resume ${run}", or give --from one of its checkpoints`);
}
