import type { AnalysisDocument } from "../analysis/analysis-document.js";
import { stepsOf } from "../formats/state-of-step.js";

/** A number for each of some training steps; null where it is not finite. */
export interface StepSeries {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

/** The training step of every state of an analysed history. */
export function analysedSteps({ states, steps }: AnalysisDocument): readonly number[] {
  return stepsOf({ states, ...(steps && { steps }) });
}

/** A series with an entry a state, by its training steps. */
export function overStates(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis), values };
}

/** A series with an entry a step, which begins with the move to state 1. */
export function overMoves(analysis: AnalysisDocument, values: readonly (number | null)[]): StepSeries {
  return { steps: analysedSteps(analysis).slice(1), values };
}
