import { expect, test } from "vitest";
import { statisticsAnalysis } from "../../../../src/analysis/analyses/statistics.js";

const step = (state: number): number => state;
const none = { n: 0, sum: 0, mean: null, median: null, gini: null, herfindahl: null, topShare: { "1": null, "2": null, "3": null, "5": null, "10": null } };

test("the statistics are one line", () => {
  // Of populations 6 and 2: Gini 2·(1·2 + 2·6)/(2·8) − 3/2 = 1/4, Herfindahl (36 + 4)/64.
  const some = { ...none, n: 2, sum: 8, mean: 4, median: 4, gini: 0.25, herfindahl: 0.625, topShare: { ...none.topShare, "1": 0.75 } };
  expect(statisticsAnalysis.print(some, step)).toEqual(["mean 4.000, median 4.000, Gini 0.2500, Herfindahl 0.6250, largest 75.0 %"]);
});

test("without a black hole there are none", () => {
  expect(statisticsAnalysis.print(none, step)).toEqual(["There is no black hole to take statistics of."]);
});
