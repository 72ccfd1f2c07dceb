import { readState } from "../../formats/read-state.js";
import { stepsOf } from "../../formats/state-of-step.js";
import { recordedRun } from "../../runs/recorded-run.js";
import { shownToken } from "../shown-token.js";
import type { RunSource } from "./run-source.js";

/** The mean logit of a token. */
export interface MeanLogit {
  readonly value: number;
  readonly token: string;
  readonly dead: boolean;
}

/**
 * The mean logits that states lead to, the largest first: those of the first recorded step after each, or of the last one. None where they were not recorded.
 *
 * @param steps of the states.
 */
export async function meanLogits(run: RunSource, steps: readonly number[]): Promise<readonly (readonly MeanLogit[])[]> {
  const recorded = recordedRun(run.directory);
  if (!recorded?.tensors.includes("logits.mean")) return steps.map(() => []);
  const history = await recorded.open("logits.mean");
  try {
    const dead = new Set(recorded.deadTokens);
    const { rowTokens } = await run.history();
    const recordedSteps = stepsOf(history);
    return steps.map((step) => {
      const after = recordedSteps.findIndex((each) => each > step);
      const values = readState(history, after < 0 ? history.states - 1 : after).toFloat32();
      return [...values]
        .flatMap((value, row): MeanLogit[] => {
          const token = history.rowTokens.ofRow(row);
          return Number.isFinite(value) ? [{ value, token: shownToken(token, rowTokens.text?.(token)), dead: dead.has(token) }] : [];
        })
        .sort((left, right) => right.value - left.value);
    });
  } finally {
    history.close();
  }
}
