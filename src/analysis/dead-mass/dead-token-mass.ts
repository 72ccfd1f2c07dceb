import { hasOwnHead } from "../../config/models/families.js";
import { BhBridgeError } from "../../errors.js";
import { type History, readState, stepsOf } from "../../formats/history.js";
import { Matrix, requireMatrix } from "../../formats/matrix.js";
import { count } from "../../text/format.js";
import type { RecordedRun } from "../analysis.js";
import { selectRows } from "../census/census.js";
import { forEachRow } from "../elements.js";
import type { ScanOptions } from "../scan/observation.js";
import { runHere } from "../scan/run-in-parts.js";

/** Σ softmax(logits)ᵢ over the dead tokens. Subtracting the largest logit keeps exponentials from overflowing. */
function massOfRow(logits: Float64Array, dead: Int32Array): number {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
  let all = 0;
  for (const logit of logits) all += Math.exp(logit - largest);
  let mass = 0;
  for (const token of dead) mass += Math.exp((logits[token] ?? 0) - largest);
  return mass / all;
}

/**
 * The probability of dead tokens at each position.
 * @param logits `[positions, vocabulary]` of any dtype, taken as float64.
 * @param deadTokens token ids.
 * @returns one probability per position; NaN if a logit is NaN.
 * @throws {BhBridgeError} `USAGE` for a token outside the vocabulary.
 */
export function deadTokenMass(logits: Matrix, deadTokens: readonly number[]): Float64Array {
  requireMatrix(logits, "logits");
  const dead = selectRows(logits.columns, deadTokens);
  const masses = new Float64Array(logits.rows);
  forEachRow(logits, (values, row) => {
    masses[row] = massOfRow(values, dead);
  });
  return masses;
}

/**
 * The probability of dead tokens from final hidden states and the tied embedding: logits = hidden · embeddingᵀ, in float64.
 * @param hidden `[positions, dims]`, after the last norm.
 * @param embedding `[vocabulary, dims]`.
 * @throws {BhBridgeError} `FORMAT_INVALID` if the dimensions differ; `FORMAT_UNSUPPORTED` if the embedding has only chosen tokens; `USAGE` for a token outside the
 * vocabulary.
 */
export function deadTokenMassOfHidden(hidden: Matrix, embedding: Matrix, deadTokens: readonly number[]): Float64Array {
  requireMatrix(hidden, "hidden");
  requireMatrix(embedding, "embedding");
  if (hidden.columns !== embedding.columns) {
    throw new BhBridgeError("FORMAT_INVALID", `hidden states have ${hidden.columns} dimensions, the embedding has ${embedding.columns}`);
  }
  const { ids, vocabulary } = embedding.rowTokens;
  if (ids) {
    throw new BhBridgeError("FORMAT_UNSUPPORTED", `the embedding has only ${count(ids.length, "chosen row")} of ${vocabulary}: probabilities need all rows`);
  }
  const dead = selectRows(embedding.rows, deadTokens);
  const weights = embedding.toFloat64();
  const logits = new Float64Array(embedding.rows);
  const masses = new Float64Array(hidden.rows);
  forEachRow(hidden, (state, row) => {
    for (let token = 0, index = 0; token < logits.length; token++) {
      let logit = 0;
      for (let dim = 0; dim < state.length; dim++, index++) logit += (state[dim] ?? 0) * (weights[index] ?? 0);
      logits[token] = logit;
    }
    masses[row] = massOfRow(logits, dead);
  });
  return masses;
}

/** Recorded predictions of a model at every state: its logits, or its final hidden states and its tied embedding. */
export type RecordedPredictions =
  | { /** `[states, positions, vocabulary]`. */ readonly logits: History }
  | { /** `[states, positions, dims]`, after the last norm. */ readonly hidden: History /** `[states, vocabulary, dims]`. */; readonly embedding: History };

function* massPerState(recorded: RecordedPredictions, states: number, deadTokens: readonly number[]): Generator<number, number[]> {
  const means: number[] = [];
  for (let state = 0; state < states; state++) {
    const masses =
      "logits" in recorded
        ? deadTokenMass(readState(recorded.logits, state), deadTokens)
        : deadTokenMassOfHidden(readState(recorded.hidden, state), readState(recorded.embedding, state), deadTokens);
    means.push(masses.reduce((sum, mass) => sum + mass, 0) / masses.length);
    yield state + 1;
  }
  return means;
}

/**
 * The probability of dead tokens in each state, as the mean over the recorded positions. Reads one state at a time.
 * @throws {BhBridgeError} `FORMAT_INVALID` if hidden states and embedding differ in states or dimensions; `USAGE` for a token outside the vocabulary; `ABORTED`.
 */
export async function deadTokenMassOverTime(
  recorded: RecordedPredictions,
  deadTokens: readonly number[],
  options: Pick<ScanOptions, "signal" | "onProgress"> = {},
): Promise<number[]> {
  const [first, other] = "logits" in recorded ? [recorded.logits, recorded.logits] : [recorded.hidden, recorded.embedding];
  if (first.states !== other.states) {
    throw new BhBridgeError("FORMAT_INVALID", `hidden states were recorded ${count(first.states, "time")}, the embedding ${count(other.states, "time")}`);
  }
  return await runHere(massPerState(recorded, first.states, deadTokens), first.states, options);
}

export interface MassOfRun {
  readonly from: "logits.mean" | "hidden.mean";
  /** Steps, counted from 1, since there is no prediction before the first. */
  readonly steps: readonly number[];
  /** The probability of each step. */
  readonly mass: readonly number[];
}

/**
 * The probability of the dead tokens for a run's recorded mean logits, or for the logits of its mean hidden state and of its head after the step.
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND` if hidden states were recorded, but not the model's untied head.
 */
export async function massOfRun(
  embedding: History,
  run: RecordedRun,
  work: (steps: Generator<number, MassOfRun>, total: number) => Promise<MassOfRun>,
): Promise<MassOfRun> {
  const from = run.tensors.includes("logits.mean") ? "logits.mean" : "hidden.mean";
  const hasHead = hasOwnHead(run.config.model);
  if (from === "hidden.mean" && hasHead && !run.tensors.includes("lm_head")) {
    throw new BhBridgeError("TENSOR_NOT_FOUND", "the model's untied head was not recorded: add lm_head with bh-bridge rerecord");
  }
  const recorded = await run.open(from);
  const head = hasHead && from === "hidden.mean" ? await run.open("lm_head") : embedding;
  try {
    return await work(massPerStep(recorded, head, run.deadTokens, from), recorded.states);
  } finally {
    recorded.close();
    if (head !== embedding) head.close();
  }
}

function* massPerStep(recorded: History, head: History, dead: readonly number[], from: MassOfRun["from"]): Generator<number, MassOfRun> {
  const heads = new Map(stepsOf(head).map((step, state) => [step, state]));
  const steps: number[] = [];
  const mass: number[] = [];
  for (const [state, step] of stepsOf(recorded).entries()) {
    const headState = heads.get(step);
    if (step === 0 || (from === "hidden.mean" && headState === undefined)) continue;
    const values = readState(recorded, state);
    const masses =
      from === "logits.mean"
        ? deadTokenMass(new Matrix(values.dtype, [1, values.rows], values.bytes), dead) // one row per token is one position
        : deadTokenMassOfHidden(values, readState(head, headState ?? 0), dead);
    steps.push(step);
    mass.push(masses[0] ?? Number.NaN);
    yield state + 1;
  }
  return { from, steps, mass };
}
