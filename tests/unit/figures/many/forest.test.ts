import { describe, expect, test } from "vitest";
import { csvOfFigure } from "../../../../src/figures/csv-of-figure.js";
import { type Figure, figureSchema } from "../../../../src/figures/figure.js";
import { forest, forestOfTable } from "../../../../src/figures/many/forest.js";
import type { ExperimentDocument } from "../../../../src/sweep/experiment/experiment-summary.js";
import { experimentVerdict } from "../../../../src/sweep/experiment/experiment-verdict.js";
import { pairedStatistics } from "../../../../src/sweep/experiment/paired-statistics.js";
import { judge } from "../../../../src/sweep/judge/judge.js";
import { evidenceOf } from "../../sweep/experiment/experiment-runs.js";

function documentOf(...given: Parameters<typeof evidenceOf>): ExperimentDocument {
  const evidence = evidenceOf(...given);
  const measures = pairedStatistics(evidence, ["finalLoss", "score"]);
  return {
    ...{ schema: "bh-bridge/experiment@1", directory: "", name: "norms", seeds: evidence.seeds, confounds: [], comparedTensors: [], traps: [] },
    measures,
    control: evidence.runs.filter(({ arm }) => arm === evidence.control),
    treatment: evidence.runs.filter(({ arm }) => arm !== evidence.control),
    verdict: experimentVerdict(evidence, measures),
  };
}

const run = (deadC: number, finalLoss: number) => ({ values: { deadC, finalLoss } });
const three = documentOf({
  a: [run(1, 2), run(1, 3), run(1, 4)],
  b: [run(1, 2.5), run(1, 3), run(1, 5)],
  c: [run(3, 1), run(4, 2), run(8, 3)],
});
const drawn = (of: "deciding" | "others", document = three): Figure => figureSchema.parse(forest(document, [], of));
const panelOf = (figure: Figure, name: string) => figure.panels.find(({ title }) => title.startsWith(name));

test("the deciding measures are on top with their margins; the others are a figure of their own", () => {
  expect(drawn("deciding").panels.map(({ title }) => title)).toEqual(["score: decides", "deadC: decides, margin 0.5"]);
  expect(drawn("others").panels.map(({ title }) => title)).toEqual(["finalLoss"]);
  const [margin] = panelOf(drawn("deciding"), "deadC")?.marks ?? [];
  expect(margin).toMatchObject({ mark: "band", x: [-0.5, 0.5], low: [0, 0], high: [2, 2] });
});

test("a score that does not decide is drawn below the deciding measures", () => {
  const document = documentOf({ a: [run(1, 2)], b: [run(1, 3)] }, { decides: ["deadC"] });
  expect(drawn("deciding", document).panels.map(({ title }) => title)).toEqual(["deadC: decides, margin 0.5", "score: does not decide"]);
});

test("every row has a dot for the difference of each seed, and a large one for their mean", () => {
  const dots = (panelOf(drawn("deciding"), "deadC")?.marks ?? []).flatMap((mark) => (mark.mark === "dots" && mark.radius?.[0] !== 0 ? [mark] : []));
  expect(dots.map(({ series, x }) => [series, x])).toEqual([
    [0, [0, 0, 0]],
    [0, [0]],
    [1, [2, 3, 7]],
    [1, [4]],
  ]);
  expect(dots[2]?.names).toEqual(["c, deadC, seed 42: +2", "c, deadC, seed 43: +3", "c, deadC, seed 44: +7"]);
});

test("each row states its numbers, and the CSV names every arm and measure", () => {
  const labels = (of: "deciding" | "others") =>
    drawn(of).panels.flatMap(({ marks }) => marks.flatMap((mark) => (mark.mark === "dots" && mark.labels ? mark.labels : [])));
  expect(labels("others").slice(0, 2)).toEqual(["b: +0.5 (no interval, 3 pairs)", expect.stringMatching(/^p [\d.]+$/)]); // differences 0.5, 0 and 1
  expect(labels("deciding").slice(0, 2)).toEqual(["b: 0 of 3 positive, control 0", "p 1: open"]);
  const csv = csvOfFigure(drawn("deciding"));
  for (const name of ["b against a", "c against a", "deadC", "score"]) expect(csv).toContain(name);
});

test("with enough pairs a row has the interval of the verdict", () => {
  const runs = (of: (seed: number) => number) => Array.from({ length: 10 }, (_, seed) => run(of(seed), 2));
  const document = documentOf({ a: runs(() => 1), b: runs((seed) => 3 + (seed % 2)) });
  const interval = document.measures.find(({ measure }) => measure === "deadC")?.difference.interval;
  const bars = panelOf(drawn("deciding", document), "deadC")?.marks.flatMap((mark) => (mark.mark === "band" && mark.solid ? [mark.x] : []));
  expect(bars).toEqual([[interval?.low, interval?.high]]);
  expect(drawn("deciding", document).title).toBe("b against a: positive");
});

test("an experiment without a run has no forest", () => expect(forest({ ...three, measures: [] }, [], "deciding")).toBeUndefined());

describe("a judged table", () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7];
  const rows = seeds.flatMap((seed) => [
    { arm: "base", seed, P: 10 + seed, solved: 0 },
    { arm: "new", seed, P: 20 + seed + (seed % 2), solved: 1 },
  ]);

  test("has a row per arm and column, under the names of the columns", async () => {
    const figure = figureSchema.parse(forestOfTable(await judge(rows, { control: "base" }), "deciding"));
    expect(figure).toMatchObject({ name: "forest", title: "new against base: positive", sources: [{ name: "rows, rules" }] });
    expect(figure.panels.map(({ title, x }) => `${title}; ${x.label}`)).toEqual([
      "P: decides; difference from base in P",
      "solved: decides; difference from base in solved",
    ]);
    const labels = figure.panels[1]?.marks.flatMap((mark) => (mark.mark === "dots" ? (mark.labels ?? []) : []));
    expect(labels).toEqual(["new: 7 of 7, control 0", "p 0.031: differs"]); // McNemar 2 / 2^7, doubled by Holm
  });

  test("without pairs has no dots of pairs", async () => {
    const figure = figureSchema.parse(forestOfTable(await judge(rows, { control: "base", unpaired: true, measures: ["P"] }), "deciding"));
    expect(figure.caption).toContain("unpaired");
    const dots = figure.panels[0]?.marks.filter(({ mark }) => mark === "dots") ?? [];
    expect(dots.map((mark) => (mark.mark === "dots" ? mark.x.length : 0))).toEqual([2, 0, 1]);
  });
});
