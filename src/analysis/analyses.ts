import { adamwAnalysis } from "./adamw/analysis.js";
import type { Analysis } from "./analysis.js";
import { deadMassAnalysis } from "./dead-mass/analysis.js";
import { geometryAnalysis } from "./geometry/geometry.js";
import { kinematicsAnalysis } from "./kinematics/kinematics.js";
import { lifecycleAnalysis } from "./lifecycle/lifecycle.js";
import { motionAnalysis } from "./motion/analysis.js";
import { phasesAnalysis } from "./phases/phases.js";
import { rowNormsAnalysis } from "./row-norms/row-norms.js";
import type { AnalysisSeries } from "./series.js";
import { statisticsAnalysis } from "./statistics/statistics.js";
import { timelineAnalysis } from "./timeline/analysis.js";
import { topologyAnalysis } from "./topology/topology.js";
import { onsetAnalysis } from "./untrained/onset.js";

/** The built-in analyses, in the order of the document. Every command loads this list for its help, so an analysis imports its computation only when it runs. */
export const ownAnalyses = [
  timelineAnalysis,
  statisticsAnalysis,
  motionAnalysis,
  lifecycleAnalysis,
  topologyAnalysis,
  geometryAnalysis,
  rowNormsAnalysis,
  phasesAnalysis,
  kinematicsAnalysis,
  deadMassAnalysis,
  adamwAnalysis,
  onsetAnalysis,
] as const;

type OwnAnalysis = (typeof ownAnalyses)[number];

export type AnalysisName = OwnAnalysis["name"];

type KeysOfEach<Each> = Each extends unknown ? keyof Each : never;

/** The series of all analyses, by name. */
export type SeriesName = KeysOfEach<NonNullable<OwnAnalysis["series"]>>;

/** The figures that analyses declare. */
export type SeriesFigureName = NonNullable<OwnAnalysis["figures"]>[number]["name"];

/** A series with its name and its analysis. */
export interface NamedSeries extends AnalysisSeries<unknown> {
  readonly name: SeriesName;
  readonly analysis: AnalysisName;
}

/** Every declared series: first those per state, then those per step. */
export const allSeries: readonly NamedSeries[] = (["state", "step"] as const).flatMap((per) =>
  ownAnalyses.flatMap(({ name: analysis, series = {} }) =>
    Object.entries<AnalysisSeries<unknown>>(series)
      .filter(([, each]) => each.per === per)
      .map(([name, each]) => ({ ...each, name: name as SeriesName, analysis })),
  ),
);

/** The name of each series in legends, which charts, figures and read-outs share. */
export const seriesLabels = Object.fromEntries(allSeries.map(({ name, label }) => [name, label])) as Readonly<Record<SeriesName, string>>;

const registered: Analysis[] = [];

/** All analyses, in the order of documents and tables: built-in ones, then registered ones in the order of registration. */
export function allAnalyses(): readonly Analysis[] {
  return [...ownAnalyses, ...registered];
}

/** Register an analysis without checks; `registerAnalysis` makes them. */
export function addAnalysis(analysis: Analysis): void {
  registered.push(analysis);
}
