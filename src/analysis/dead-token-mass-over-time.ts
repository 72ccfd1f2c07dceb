import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { readState } from "../formats/read-state.js";
import { count } from "../text/count.js";
import { deadTokenMass, deadTokenMassOfHidden } from "./dead-token-mass.js";
import { runHere } from "./scan/run-in-parts.js";
import type { ScanOptions } from "./scan/scan-options.js";

/** What was recorded of a model at every state: its logits, or its final hidden states and its tied embedding. */
export type RecordedPredictions =
  | { /** `[states, positions, vocabulary]`. */ readonly logits: History }
  | { /** `[states, positions, dims]`, after the last norm. */ readonly hidden: History /** `[states, vocabulary, dims]`. */; readonly embedding: History };

function mean(masses: Float64Array): number {
  return masses.reduce((sum, mass) => sum + mass, 0) / masses.length;
}

function* massPerState(recorded: RecordedPredictions, states: number, deadTokens: readonly number[]): Generator<number, number[]> {
  const means: number[] = [];
  for (let state = 0; state < states; state++) {
    const masses =
      "logits" in recorded
        ? deadTokenMass(readState(recorded.logits, state), deadTokens)
        : deadTokenMassOfHidden(readState(recorded.hidden, state), readState(recorded.embedding, state), deadTokens);
    means.push(mean(masses));
    yield state + 1;
  }
  return means;
}

/**
 * The probability that a model gives to dead tokens in each state, as the mean over the recorded positions.
 *
 * Reads one state at a time.
 *
 * @param deadTokens token ids.
 * @throws {BhBridgeError} `FORMAT_INVALID` when hidden states and embedding differ in states or dimensions; `USAGE` for a token outside the vocabulary; `ABORTED`.
 */
export async function deadTokenMassOverTime(
  recorded: RecordedPredictions,
  deadTokens: readonly number[],
  options: Pick<ScanOptions, "signal" | "onProgress"> = {},
): Promise<number[]> {
  const first = "logits" in recorded ? recorded.logits : recorded.hidden;
  const other = "logits" in recorded ? recorded.logits : recorded.embedding;
  if (first.states !== other.states) {
    throw new BhBridgeError("FORMAT_INVALID", `hidden states were recorded ${count(first.states, "time")}, the embedding ${count(other.states, "time")}`);
  }
  return await runHere(massPerState(recorded, first.states, deadTokens), first.states, options);
}
