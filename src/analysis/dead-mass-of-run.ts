import { BhBridgeError } from "../errors.js";
import type { History } from "../formats/history.js";
import { Matrix } from "../formats/matrix.js";
import { readState } from "../formats/read-state.js";
import { stepsOf } from "../formats/state-of-step.js";
import { deadTokenMass, deadTokenMassOfHidden } from "./dead-token-mass.js";
import type { RecordedRun } from "./recorded-run.js";

export interface MassOfRun {
  readonly from: "logits.mean" | "hidden.mean";
  /** Steps, counted from 1: before the first one nothing was predicted. */
  readonly steps: readonly number[];
  /** A probability for each. */
  readonly mass: readonly number[];
}

/**
 * The probability of the dead tokens at the mean logits that a run recorded, or at the logits of its mean hidden state and of its head after the step.
 *
 * @throws {BhBridgeError} `TENSOR_NOT_FOUND` when hidden states were recorded of a model whose own head was not.
 */
export async function massOfRun(
  embedding: History,
  run: RecordedRun,
  work: (steps: Generator<number, MassOfRun>, total: number) => Promise<MassOfRun>,
): Promise<MassOfRun> {
  const from = run.tensors.includes("logits.mean") ? "logits.mean" : "hidden.mean";
  const { model } = run.config;
  const hasHead = model.type !== "tinylm" && !model.tie_word_embeddings;
  if (from === "hidden.mean" && hasHead && !run.tensors.includes("lm_head")) {
    throw new BhBridgeError("TENSOR_NOT_FOUND", "the model has a head of its own, which was not recorded: add lm_head with bh-bridge rerecord");
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
        ? deadTokenMass(new Matrix(values.dtype, [1, values.rows], values.bytes), dead) // a row a token: one position
        : deadTokenMassOfHidden(values, readState(head, headState ?? 0), dead);
    steps.push(step);
    mass.push(masses[0] ?? Number.NaN);
    yield state + 1;
  }
  return { from, steps, mass };
}
