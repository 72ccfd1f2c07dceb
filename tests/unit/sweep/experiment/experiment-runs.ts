import type { ExperimentEvidence, ExperimentRun } from "../../../../src/sweep/experiment/read-experiment-run.js";
import { appliedRules, type RulesInput, rulesSchema } from "../../../../src/sweep/experiment/rules.js";

type Written = Partial<Omit<ExperimentRun, "score">> & { score?: ExperimentRun["score"]["result"] };

const reasons = {
  null: "no split: the 51 dead tokens of the black hole at the start are still together",
  positive: "the 51 dead tokens of the black hole at the start have parted: 30 + 20 in 2 black holes, 1 alone",
  degenerate: "not scored: no two of the 51 dead tokens shared a black hole at the start",
};

/** A run with a score and values; what is left out is that of a run in which nothing happened. */
export function runOf({ arm = "rmsnorm", seed = 42, score = "null", values = { deadC: 1 }, ...others }: Written = {}): ExperimentRun {
  return {
    arm,
    seed,
    run: `runs/${arm}-${seed}`,
    score: { result: score, reason: reasons[score] },
    degenerate: [],
    census: { rows: 128, unique: 78, C: 1, P: 51, populations: [51] },
    displacement: { float64: 0.5, float32: 0.5, bfloat16: 0.5 },
    finalLoss: 2.1,
    values,
    ...others,
  };
}

/** Runs of one arm, one a seed from 42 on. */
function armOf(arm: string, runs: readonly Written[]): ExperimentRun[] {
  return runs.map((run, at) => runOf({ arm, seed: 42 + at, ...run }));
}

/** Evidence of arms, the first being the control; seeds are those of the longest arm. */
export function evidenceOf(arms: Readonly<Record<string, readonly Written[]>>, rules: RulesInput = {}): ExperimentEvidence {
  const [control = "", ...treatments] = Object.keys(arms);
  const longest = Math.max(...Object.values(arms).map((runs) => runs.length));
  return {
    rules: appliedRules(rulesSchema.parse(rules)),
    seeds: Array.from({ length: longest }, (_, at) => 42 + at),
    control,
    treatments,
    runs: Object.entries(arms).flatMap(([arm, runs]) => armOf(arm, runs)),
  };
}

/** So many times the same. */
export function times<Value>(count: number, value: Value): Value[] {
  return new Array<Value>(count).fill(value);
}
