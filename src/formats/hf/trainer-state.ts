import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { containedFile } from "../contained-file.js";
import { formatInvalid } from "../format-invalid.js";
import { readJson } from "../read-json.js";

const fileName = "trainer_state.json";

/** What of the Hugging Face Trainer's own state is read; names are Python's. NaN and infinity are null. */
export const trainerStateSchema = z.object({
  global_step: z.number().int(),
  max_steps: z.number().int(),
  epoch: z.number().nullish(),
  num_train_epochs: z.number().nullish(),
  best_metric: z.number().nullish(),
  log_history: z.array(z.record(z.string(), z.unknown())),
});
export type TrainerState = z.infer<typeof trainerStateSchema>;

/** The Trainer's state in a checkpoint directory, when it has one. @throws {BhBridgeError} `FORMAT_INVALID`. */
export function readTrainerState(directory: string): TrainerState | undefined {
  if (!existsSync(join(directory, fileName))) return undefined;
  const path = containedFile(directory, fileName);
  const checked = trainerStateSchema.safeParse(readJson(path));
  if (checked.success) return checked.data;
  throw formatInvalid(path, 0, `it is not a Trainer state: ${z.prettifyError(checked.error)}`);
}
