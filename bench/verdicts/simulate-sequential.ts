import type { MeasuredRun } from "../../src/sweep/experiment/read-experiment-run.js";
import { appliedRules, type RulesInput, rulesSchema } from "../../src/sweep/experiment/rules.js";
import { sequentialEvidence } from "../../src/sweep/experiment/sequential.js";
import { moreShapes, type SequentialShape, uniformDraws } from "./shapes.js";

/** How many of the simulated experiments were positive and null, by the number of judged pairs. */
export interface Endings {
  readonly experiments: number;
  /** Entry n: experiments that were positive after n pairs. */
  readonly positive: Uint32Array;
  readonly null: Uint32Array;
  readonly meanPairs: number;
}

/** Share of the experiments that have ended by a number of pairs, in percent. */
export function percentBy(counts: Uint32Array, experiments: number, pairs = counts.length - 1): number {
  return (100 * counts.slice(0, pairs + 1).reduce((sum, count) => sum + count, 0)) / experiments;
}

/** What is simulated besides the shape of the differences. */
export interface SequentialCase {
  readonly experiments: number;
  /** In standard deviations (default: 0). */
  readonly effect?: number;
  readonly margin?: number;
  /** Number of deciding measures, independent of each other; only the first has the effect (default: 1). */
  readonly measures?: number;
  /** Maximum number of pairs (default: 40). */
  readonly maximum?: number;
  readonly seed?: number;
}

/** Judge experiments pair by pair with the function of the product, up to the decision or the maximum. */
function endings(rules: RulesInput, { experiments, maximum = 40 }: SequentialCase, runsOf: (seed: number) => readonly MeasuredRun[]): Endings {
  const applied = appliedRules(rulesSchema.parse({ ...rules, sequential: true }));
  const seeds = Array.from({ length: maximum }, (_, seed) => seed);
  const [positive, none] = [new Uint32Array(maximum + 1), new Uint32Array(maximum + 1)];
  let all = 0;
  for (let experiment = 0; experiment < experiments; experiment++) {
    const runs = seeds.flatMap(runsOf);
    const [arm] = sequentialEvidence({ rules: applied, seeds, control: "control", treatments: ["treatment"], runs }).arms;
    const pairs = arm?.pairs ?? 0;
    all += pairs;
    if (arm?.result === "positive") positive[pairs] = (positive[pairs] ?? 0) + 1;
    if (arm?.result === "null") none[pairs] = (none[pairs] ?? 0) + 1;
  }
  return { experiments, positive, null: none, meanPairs: all / experiments };
}

const measures = ["finalLoss", "evalLoss", "displacement", "stepsToFreeze"];

/** Experiments whose differences have a shape around an effect. The control is 0, so that integer differences belong to integer measures. */
export function sequentialDifferences(shape: SequentialShape, options: SequentialCase): Endings {
  const { effect = 0, margin = 0, seed = 1 } = options;
  const draw = moreShapes[shape](uniformDraws(seed));
  const decides = measures.slice(0, options.measures ?? 1);
  const rules = { decides, margin: Object.fromEntries(decides.map((name) => [name, margin])) };
  const degenerate: readonly [] = [];
  const controlValues = Object.fromEntries(decides.map((name) => [name, 0]));
  return endings(rules, options, (each) => {
    const values: Record<string, number> = {};
    for (const name of decides) values[name] = (name === decides[0] ? effect : 0) + draw();
    return [
      { arm: "control", seed: each, degenerate, values: controlValues },
      { arm: "treatment", seed: each, degenerate, values },
    ];
  });
}

/** Experiments in which score decides: runs of the treatment and of the control split at these rates. */
export function sequentialSplits(rate: number, controlRate: number, options: SequentialCase): Endings {
  const uniform = uniformDraws(options.seed ?? 1);
  const runOf = (arm: string, each: number, share: number): MeasuredRun => {
    const result = uniform() <= share ? "positive" : "null";
    return { arm, seed: each, degenerate: [], values: {}, score: { result, reason: "" } };
  };
  return endings({ decides: ["score"] }, options, (each) => [runOf("control", each, controlRate), runOf("treatment", each, rate)]);
}
