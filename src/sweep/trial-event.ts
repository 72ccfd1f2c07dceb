import type { SweepTrial } from "./sweep-document.js";

/** The beginning: where the trials lie, and what there is of them. */
export interface PlannedEvent {
  kind: "planned";
  name: string;
  directory: string;
  /** How many trials will be trained side by side. */
  workers: number;
  trials: SweepTrial[];
  /** Steps of each trial that is left to train. */
  steps: ReadonlyMap<string, number>;
}

/** What happens while many runs are trained: the beginning, then what becomes of each trial. */
export type TrialEvent =
  | PlannedEvent
  | { kind: "started"; trial: SweepTrial; fromStep: number }
  | { kind: "step"; trial: SweepTrial; step: number; loss: number }
  /** `completed`, `pruned` and `failed` are ends; `lost` will be gone on with now, `planned` when the same is started again. */
  | { kind: "ended"; trial: SweepTrial };
