import { join } from "node:path";
import { census } from "../../analysis/census/census.js";
import { stepsUpTo } from "../../config/record-schedule.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { findTensor } from "../../formats/find-tensor.js";
import { embeddingHistory } from "../../formats/history-tensor.js";
import { itemSizes, Matrix } from "../../formats/matrix.js";
import { openSafetensors } from "../../formats/safetensors/safetensors.js";
import { historyFile } from "../../runs/run-layout.js";
import type { PruneFacts } from "./prune-condition.js";

/**
 * What a training is at after a step, from the states that its run has recorded by then: those that are not committed yet lie in the file as well.
 *
 * @param lookBack so many steps back it is looked whether a row has moved.
 * @param loss of the step.
 */
export function pruneFacts(
  directory: string,
  { every, schedules }: Pick<RunConfig["record"], "every" | "schedules">,
  step: number,
  lookBack: number,
  loss: number,
): PruneFacts {
  const path = join(directory, historyFile);
  const file = openSafetensors(path);
  try {
    const tensor = findTensor(file.tensors, embeddingHistory, path);
    const [, tokens = 0, dims = 0] = tensor.shape;
    const rows = tensor.rows();
    const read = (state: number) => {
      const bytes = new Uint8Array(tokens * dims * itemSizes[rows.dtype]);
      rows.read(state * tokens, tokens, bytes);
      return bytes;
    };
    const steps = stepsUpTo(schedules?.["wte"] ?? every, step);
    const newest = steps.length - 1;
    const since = (states: number): number => (steps[newest] ?? 0) - (steps[newest - states] ?? 0);
    const state = read(newest);
    let still = 0;
    while (since(still) < lookBack && still < newest && Buffer.compare(state, read(newest - still - 1)) === 0) still++;
    const { C, P, unique } = census(new Matrix(rows.dtype, [tokens, dims], state));
    return { C, P, unique, loss, stillSteps: since(still) };
  } finally {
    file.close();
  }
}
