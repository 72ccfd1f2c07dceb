import { type ExperimentVerdict, experimentVerdict } from "../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../src/sweep/experiment/paired-statistics.js";
import type { ExperimentRun } from "../../src/sweep/experiment/read-experiment-run.js";
import { appliedRules, type RulesInput, rulesSchema } from "../../src/sweep/experiment/rules.js";
import { type Shape, shapes, uniformDraws } from "./shapes.js";

type Result = ExperimentVerdict["result"];

/** A run with values of measures, scored. */
function runOf(arm: string, seed: number, finalLoss: number, isPositive: boolean): ExperimentRun {
  return {
    arm,
    seed,
    run: `${arm}-${seed}`,
    score: { result: isPositive ? "positive" : "null", reason: "" },
    degenerate: [],
    census: { rows: 128, unique: 78, C: 1, P: 51, populations: [51] },
    displacement: { float64: null, float32: null, bfloat16: null },
    finalLoss,
    values: { finalLoss, deadC: isPositive ? 2 : 1 },
  };
}

/** The verdict of an experiment whose pairs have these differences in their final loss, and whose treatment splits with these pairs. */
function resultOf(differences: readonly number[], isSplit: readonly boolean[], rules: RulesInput): Result {
  const evidence = {
    rules: appliedRules(rulesSchema.parse(rules)),
    seeds: differences.map((_, seed) => seed),
    control: "control",
    treatments: ["treatment"],
    runs: differences.flatMap((value, seed) => [runOf("control", seed, 0, false), runOf("treatment", seed, value, isSplit[seed] ?? false)]),
  };
  return experimentVerdict(evidence, pairedStatistics(evidence, [])).result;
}

/** Verdicts in percent of all simulated experiments. */
export interface Rates {
  readonly positive: number;
  readonly null: number;
}

function rates(experiments: number, simulate: () => Result): Rates {
  const results = Array.from({ length: experiments }, simulate);
  const percent = (wanted: Result) => (100 * results.filter((result) => result === wanted).length) / experiments;
  return { positive: percent("positive"), null: percent("null") };
}

/** Experiments of `pairs` pairs, whose differences in the one deciding measure have a shape around an effect, in standard deviations. */
export function ofDifferences(shape: Shape, pairs: number, experiments: number, effect = 0, margin = 0, seed = 1): Rates {
  const draw = shapes[shape](uniformDraws(seed));
  const rules = { decides: ["finalLoss"], margin: { finalLoss: margin } };
  return rates(experiments, () =>
    resultOf(
      Array.from({ length: pairs }, () => effect + draw()),
      [],
      rules,
    ),
  );
}

/** Experiments with the default rules, whose treatment splits with a probability where the control never does: score and deadC decide. */
export function ofSplits(rate: number, pairs: number, experiments: number, seed = 1): Rates {
  const uniform = uniformDraws(seed);
  return rates(experiments, () => {
    const isSplit = Array.from({ length: pairs }, () => uniform() <= rate);
    return resultOf(new Array<number>(pairs).fill(0), isSplit, {});
  });
}

/** Experiments without an effect that are judged after every pair from the first number on, to the second: positive when any look is. */
export function ofLooks(first: number, last: number, experiments: number, seed = 1): Rates {
  const draw = shapes.normal(uniformDraws(seed));
  const rules = { decides: ["finalLoss"] };
  return rates(experiments, () => {
    const differences = Array.from({ length: last }, draw);
    const looks = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    return looks.some((pairs) => resultOf(differences.slice(0, pairs), [], rules) === "positive") ? "positive" : "inconclusive";
  });
}
