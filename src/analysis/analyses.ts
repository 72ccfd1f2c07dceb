import { adamwAnalysis } from "./adamw/analysis.js";
import type { Analysis } from "./analysis.js";
import { deadMassAnalysis } from "./dead-mass/analysis.js";
import { geometryAnalysis } from "./geometry/analysis.js";
import { kinematicsAnalysis } from "./kinematics/analysis.js";
import { lifecycleAnalysis } from "./lifecycle/lifecycle.js";
import { motionAnalysis } from "./motion/analysis.js";
import { phasesAnalysis } from "./phases/phases.js";
import { rowNormsAnalysis } from "./row-norms/row-norms.js";
import type { AnalysisSeries } from "./series.js";
import { statisticsAnalysis } from "./statistics/statistics.js";
import { timelineAnalysis } from "./timeline/analysis.js";
import { topologyAnalysis } from "./topology/analysis.js";

/**
 * The analyses that bh-bridge has itself, in the order of the document. Every command loads them, for the help of `--only`: what an analysis computes with is
 * imported when it is wanted.
 */
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
] as const;

type OwnAnalysis = (typeof ownAnalyses)[number];

export type AnalysisName = OwnAnalysis["name"];

type KeysOfEach<Each> = Each extends unknown ? keyof Each : never;

/** The series of all analyses, by name. */
export type SeriesName = KeysOfEach<NonNullable<OwnAnalysis["series"]>>;

/** The figures that analyses declare. */
export type SeriesFigureName = NonNullable<OwnAnalysis["figures"]>[number]["name"];

/** A series, and the analysis that reports it. */
export interface NamedSeries extends AnalysisSeries<unknown> {
  readonly name: SeriesName;
  readonly analysis: AnalysisName;
}

/** Every series that analyses declare: first those with a number for each state, then those with one for each step. */
export const allSeries: readonly NamedSeries[] = (["state", "step"] as const).flatMap((per) =>
  ownAnalyses.flatMap(({ name: analysis, series = {} }) =>
    Object.entries<AnalysisSeries<unknown>>(series)
      .filter(([, each]) => each.per === per)
      .map(([name, each]) => ({ ...each, name: name as SeriesName, analysis })),
  ),
);

const registered: Analysis[] = [];

/** All analyses, in the order of documents and tables: those of bh-bridge, then registered ones as they came. */
export function allAnalyses(): readonly Analysis[] {
  return [...ownAnalyses, ...registered];
}

/** Let an analysis be one of all from now on. */
export function addAnalysis(analysis: Analysis): void {
  registered.push(analysis);
}
