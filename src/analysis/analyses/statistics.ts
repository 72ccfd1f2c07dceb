import { z } from "zod";
import { figure as shown } from "../../text/figure.js";
import { percent } from "../../text/percent.js";
import { defineAnalysis } from "../analysis.js";
import { count, figure } from "../figure-schemas.js";

const schema = z
  .strictObject({
    n: count,
    sum: count,
    mean: figure,
    median: figure,
    gini: figure,
    herfindahl: figure,
    topShare: z.strictObject({ "1": figure, "2": figure, "3": figure, "5": figure, "10": figure }),
  })
  .describe("Over the populations of the last state's black holes; nulls when there is none");

/** How the tokens of the last state are spread over its black holes. */
export const statisticsAnalysis = defineAnalysis({
  name: "statistics",
  schema,
  async finish({ finalCensus }) {
    const { populationStatistics } = await import("../population-statistics.js");
    return populationStatistics(finalCensus.populations);
  },
  title: "Statistics of its populations",
  print({ n, mean, median, gini, herfindahl, topShare }) {
    if (n === 0) return ["There is no black hole to take statistics of."];
    return [`mean ${shown(mean)}, median ${shown(median)}, Gini ${shown(gini)}, Herfindahl ${shown(herfindahl)}, largest ${percent(topShare["1"])}`];
  },
});
