import type { SweepDocument, SweepTrial } from "./sweep-document.js";

/** What happens in a sweep: where it lies and what is in it, then what becomes of each trial. */
export type TrialEvent =
  | {
      kind: "planned";
      directory: string;
      workers: number;
      document: SweepDocument /** Steps of each trial that is left. */;
      steps: ReadonlyMap<string, number>;
    }
  | { kind: "started"; trial: SweepTrial; fromStep: number }
  | { kind: "step"; trial: SweepTrial; step: number; loss: number }
  /** `completed`, `pruned` and `failed` are ends; `lost` will be gone on with now, `planned` when the sweep is continued. */
  | { kind: "ended"; trial: SweepTrial };
