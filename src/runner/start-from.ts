import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { callArguments } from "../bridge/call-arguments.js";
import { BhBridgeError } from "../errors.js";
import { openEmbedding } from "../runs/open-embedding.js";
import { finalFolder, isRunDirectory } from "../runs/run-layout.js";
import { count } from "../text/format.js";

/** The part of a configuration that says where a training starts. */
export type StartingPoint = { model: { from: string } } | { init: { kind: "file"; path: string; step: number }; model: { vocab_size: number; n_embd: number } };

const startFromArguments = z.strictObject({ path: z.string(), step: z.int().nonnegative().optional() });

/**
 * Where a training starts, to be put into its configuration: of a checkpoint the model, of a run its final model, and with `step` the embedding that a recorded
 * history had after that step, with the sizes that go with it.
 * @param path saved model, run, or with `step` any file of a recorded history.
 * @throws {BhBridgeError} `USAGE` for a wrong argument, for a run without a final model, for a step that was not recorded, and for a run that recorded chosen
 *   rows alone; what opening the file gives.
 */
export async function startFrom(path: string, options: { step?: number | undefined } = {}): Promise<StartingPoint> {
  const { step } = callArguments("startFrom", startFromArguments, { ...options, path });
  if (step === undefined) return { model: { from: isRunDirectory(path) ? finalModel(path) : path } };
  const embedding = await openEmbedding(path, { step });
  try {
    const { shape, rows } = embedding;
    const { ids, vocabulary } = rows.rowTokens;
    if (ids) throw new BhBridgeError("USAGE", `${path} recorded ${shape[0]} of ${count(vocabulary, "row")}: an embedding to begin with has all of them`);
    const [vocab_size, n_embd] = shape;
    return { init: { kind: "file", path, step }, model: { vocab_size, n_embd } };
  } finally {
    embedding.close();
  }
}

function finalModel(run: string): string {
  const final = join(run, finalFolder);
  if (existsSync(final)) return final;
  throw new BhBridgeError("USAGE", `${run} has no final model: go on with it by "bh-bridge resume ${run}", or give --from one of its checkpoints`);
}
