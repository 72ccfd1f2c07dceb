import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A checkpoint that a run has; whether it is whole is for `verifyFiles` to say. */
export interface RunCheckpoint {
  readonly directory: string;
  /** The step that it was made at. */
  readonly step: number;
}

/** The checkpoints of a run, oldest first. */
export function runCheckpoints(run: string): RunCheckpoint[] {
  const folder = join(run, "checkpoints");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const digits = /^step-(\d+)$/.exec(name)?.[1];
      return digits === undefined ? [] : [{ directory: join(folder, name), step: Number(digits) }];
    })
    .sort((left, right) => left.step - right.step);
}
