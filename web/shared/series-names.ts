import { analysisCharts } from "../../src/analysis/charts.generated.js";
import { trainingLabels } from "../../src/figures/panels.js";
import type { TrainingLine } from "../../src/serve/run-view.js";

/** A chart of series that belong together: their names, and their labels in legends. */
export interface SeriesChart {
  readonly key: string;
  readonly title: string;
  readonly unit?: string;
  readonly isLog?: boolean;
  readonly names: Readonly<Record<string, string>>;
}

const named = (...names: readonly TrainingLine[]) => Object.fromEntries(names.map((name) => [name, trainingLabels[name]]));

/** The charts of a run, in order: the loss, those of the analyses, the rest of the event log. */
export const seriesCharts: readonly SeriesChart[] = [
  { key: "loss", title: "Loss", names: named("loss", "mean loss", "held-out loss") },
  ...analysisCharts,
  { key: "training", title: "Learning rate", names: named("learning rate") },
  { key: "gradient", title: "Gradient", unit: "norm", names: named("gradient norm"), isLog: true },
  { key: "rate", title: "Rate", unit: "steps per second", names: named("rate") },
];

/** Titles of charts of a single series, by its name. */
export const seriesTitles: ReadonlyMap<string, string> = new Map(
  seriesCharts.flatMap(({ names }) => Object.entries(names).map(([name, label]) => [name, label.charAt(0).toUpperCase() + label.slice(1)])),
);
