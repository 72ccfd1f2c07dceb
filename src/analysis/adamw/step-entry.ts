import { roundToBfloat16 } from "../bfloat16.js";
import type { AdamwSettings, SteppedComponent } from "./adamw-step.js";

/** What moved the components of a step that moved: each counts once. */
interface MovedBy {
  /** What the moments add is enough; the decay alone is not. */
  moment: number;
  /** The decay is enough; what the moments add is not. */
  decay: number;
  /** Each of the two is enough. */
  either: number;
  /** Neither alone is enough. */
  together: number;
}

/** What held the components of a step that stayed: each counts once. */
interface HeldBy {
  /** Nothing: its update is zero. */
  nothing: number;
  /** Rounding: its update is smaller than half of the distance to the next number of the dtype, and so is each of its parts. */
  rounding: number;
  /** One part alone would have moved it, and the other took that back. */
  opposition: number;
}

/** What a ledger says of one step. */
export interface StepEntry {
  readonly step: number;
  components: number;
  unexplained: number;
  readonly movedBy: MovedBy;
  readonly heldBy: HeldBy;
  /** Sums over the components of the absolute value of each part of the update: what the decay, the moments and the rounding add. */
  decay: number;
  moment: number;
  rounding: number;
}

export function emptyStepEntry(step: number): StepEntry {
  return {
    step,
    components: 0,
    unexplained: 0,
    movedBy: { moment: 0, decay: 0, either: 0, together: 0 },
    heldBy: { nothing: 0, rounding: 0, opposition: 0 },
    decay: 0,
    moment: 0,
    rounding: 0,
  };
}

/** Enter a component whose weight was `start`, and say what moved or held it. */
export function enterComponent(
  entry: StepEntry,
  start: number,
  { weight, decayed, moved }: SteppedComponent,
  { narrowWeights, weightDecay }: Pick<AdamwSettings, "narrowWeights" | "weightDecay">,
): void {
  const isMovedByAlone = (value: number): boolean => (narrowWeights ? roundToBfloat16(value) : value) !== start;
  const decays = isMovedByAlone(decayed);
  const moves = isMovedByAlone(Math.fround(start + moved));
  entry.components++;
  if (weight !== start) entry.movedBy[moves && decays ? "either" : moves ? "moment" : decays ? "decay" : "together"]++;
  else if (moves || decays) entry.heldBy.opposition++;
  else entry.heldBy[moved === 0 && (start === 0 || weightDecay === 0) ? "nothing" : "rounding"]++;
  entry.decay += Math.abs(decayed - start);
  entry.moment += Math.abs(moved);
  entry.rounding += Math.abs(weight - decayed - moved);
}
