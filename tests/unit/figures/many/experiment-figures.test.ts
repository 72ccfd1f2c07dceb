import { expect, test } from "vitest";
import { figureSchema } from "../../../../src/figures/figure.js";
import { experimentFigures } from "../../../../src/figures/many/experiment-figures.js";
import { readExperiment } from "../../../../src/report/read-experiment.js";
import { Ledger } from "../../../../src/sweep/ledger.js";
import { temporaryDirectory } from "../../formats/reference-python.js";
import { writeExperiment } from "../../serve/written-experiment.js";
import { sweepTrial } from "../../sweep/sweep-trial.js";

async function figuresOf(completed: readonly string[]) {
  const directory = writeExperiment(temporaryDirectory());
  {
    const { result } = sweepTrial({}, 2);
    using ledger = new Ledger(directory);
    for (const arm of completed) ledger.append({ trial: `trial-${arm}`, status: "completed", run: `runs/${arm}`, ...(result && { result }) });
  }
  return (await experimentFigures(await readExperiment(directory, { workers: 0 }), { workers: 0 })).map((figure) => figureSchema.parse(figure));
}

test("an experiment has its arms over the steps, and its measures arm by arm, of the runs that there are", async () => {
  const [overSteps, measures] = await figuresOf(["plain", "scaled"]);
  expect(overSteps?.series.map(({ name }) => name)).toEqual(["plain (n = 1)", "scaled (n = 1)"]);
  expect(measures?.sources.map(({ name }) => name)).toEqual(["run of plain", "run of scaled"]);
  expect((await figuresOf(["scaled"]))[0]?.series.map(({ name }) => name)).toEqual(["scaled (n = 1)"]);
});

test("before a run is complete there is nothing to show", async () => expect(await figuresOf([])).toEqual([]));
