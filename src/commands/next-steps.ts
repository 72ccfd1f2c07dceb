import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Checkpoint } from "../formats/checkpoint.js";
import { hasEmbedding } from "../formats/embedding-tensor.js";
import { findHistoryTensor } from "../formats/history-tensor.js";
import { isDtype } from "../formats/stored-tensor.js";
import { shellQuote } from "./shell-quote.js";

/** One thing that can be done, and the command that does it. */
export interface NextStep {
  does: string;
  command: string;
}

const gpt2Schema = z.looseObject({ config: z.looseObject({ model_type: z.literal("gpt2") }) });

/**
 * What can be done with a file, most useful first.
 *
 * @param hasAllTokens whether its history, where it has one, holds the rows of all tokens: others are no embedding to begin with.
 */
export function nextSteps({ path, kind, tensors, metadata, trainerState }: Checkpoint, hasAllTokens: boolean): NextStep[] {
  const word = shellQuote(path);
  const steps: NextStep[] = [];
  const readable = tensors.filter((tensor) => isDtype(tensor.dtype));
  const history = findHistoryTensor(readable);
  const matrix = readable.find((tensor) => tensor.shape.length === 2);
  if (hasEmbedding(readable)) steps.push({ does: "count its black holes", command: `bh-bridge census ${word}` });
  else if (matrix) steps.push({ does: "count the black holes of one matrix", command: `bh-bridge census ${shellQuote(`${path}::${matrix.name}`)}` });
  if (history) steps.push({ does: "analyse its whole history", command: `bh-bridge analyze ${word}` });
  if (kind === "hf-checkpoint" && gpt2Schema.safeParse(metadata).success) steps.push({ does: "train on from it", command: `bh-bridge train --from ${word}` });
  if (trainerState && existsSync(join(path, "optimizer.pt"))) {
    steps.push({ does: "go on with its training, optimizer and all", command: `bh-bridge train --from ${word} --resume-state` });
  }
  if (kind === "run" && history && hasAllTokens)
    steps.push({ does: "train from the embedding of one of its steps", command: `bh-bridge train --from ${shellQuote(`${path}::0`)}` });
  if (kind === "run" && tensors.some((tensor) => tensor.file.startsWith("final/"))) {
    steps.push({ does: "give the model to Python", command: `bh-bridge export ${word} --to hf --out model` });
  }
  if (history) steps.push({ does: "give the history to Python", command: `bh-bridge export ${word} --to npy --out history.npy` });
  else if (hasEmbedding(readable)) steps.push({ does: "give it to a spreadsheet", command: `bh-bridge export ${word} --to csv --out matrix.csv` });
  return steps;
}
