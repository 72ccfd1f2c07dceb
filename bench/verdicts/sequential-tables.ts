import { moreShapes, type SequentialShape } from "./shapes.js";
import { type Endings, percentBy, sequentialDifferences, sequentialSplits } from "./simulate-sequential.js";

/** A table of the documents. */
export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const names = Object.keys(moreShapes) as SequentialShape[];
/** Their standard deviation is not 1. */
const unscaled: readonly SequentialShape[] = ["Cauchy", "lognormal − lognormal", "integers, Poisson(1) − Poisson(1)"];
const shown = (percent: number) => percent.toFixed(1);
const positive = ({ positive: counts, experiments }: Endings, pairs?: number) => percentBy(counts, experiments, pairs);
const none = ({ null: counts, experiments }: Endings) => percentBy(counts, experiments);
const pairsAndShare = ({ meanPairs }: Endings, share: number) => `${meanPairs.toFixed(1)} / ${shown(share)}`;

/**
 * Sequential experiments of at most 40 pairs, judged after every pair.
 * @param experiments for each false positive without a margin; all other entries take a fifth.
 */
export function* sequentialTables(experiments: number): Generator<Table> {
  const fewer = Math.ceil(experiments / 5);
  const looks = [10, 20, 40];
  const row = (name: string, found: Endings) => [name, ...looks.map((pairs) => shown(positive(found, pairs)))];
  yield {
    title: `Sequential: ever positive without an effect, margin 0 (${experiments} experiments for each row)`,
    head: ["differences", ...looks.map((pairs) => `within ${pairs} pairs`)],
    rows: [
      ...names.map((name) => row(name, sequentialDifferences(name, { experiments }))),
      row("score, both arms split in 3 runs of 10", sequentialSplits(0.3, 0.3, { experiments })),
      row("four normal measures, any of them", sequentialDifferences("normal", { experiments: fewer, measures: 4 })),
    ],
  };
  yield {
    title: `Sequential: wrong verdicts with an effect at the worse end of a margin of 1 sd (${fewer} experiments)`,
    head: ["differences", "positive", "null"],
    rows: names
      .filter((name) => !unscaled.includes(name))
      .map((name) => {
        const ends = [1, -1].map((effect) => sequentialDifferences(name, { experiments: fewer, effect, margin: 1 }));
        return [name, shown(Math.max(...ends.map((end) => positive(end)))), shown(Math.max(...ends.map(none)))];
      }),
  };
  const effects = [0.5, 1, 1.5, 2, 3];
  yield {
    title: `Sequential: mean pairs / positive, normal differences, margin 0 (${fewer} experiments)`,
    head: ["effect", ...effects.map((effect) => `${effect} sd`)],
    rows: [1, 2].map((measures) => [
      measures === 1 ? "one deciding measure" : "one of two differs",
      ...effects.map((effect) => {
        const found = sequentialDifferences("normal", { experiments: fewer, effect, measures });
        return pairsAndShare(found, positive(found));
      }),
    ]),
  };
  const margins = [1, 1.5, 2, 3];
  yield {
    title: `Sequential: mean pairs / null without an effect, normal differences (${fewer} experiments)`,
    head: ["margin", ...margins.map((margin) => `${margin} sd`)],
    rows: [
      [
        "one deciding measure",
        ...margins.map((margin) => {
          const found = sequentialDifferences("normal", { experiments: fewer, margin });
          return pairsAndShare(found, none(found));
        }),
      ],
    ],
  };
  yield {
    title: `Sequential: score decides, the control never splits (${fewer} experiments)`,
    head: ["rate of splits", "mean pairs / positive", "null"],
    rows: [0.3, 0.5, 0.9, 1].map((rate) => {
      const found = sequentialSplits(rate, 0, { experiments: fewer });
      return [String(rate), pairsAndShare(found, positive(found)), shown(none(found))];
    }),
  };
}
