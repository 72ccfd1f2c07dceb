import { adamwAnalysis } from "./analyses/adamw.js";
import { deadMassAnalysis } from "./analyses/dead-mass.js";
import { geometryAnalysis } from "./analyses/geometry.js";
import { kinematicsAnalysis } from "./analyses/kinematics.js";
import { lifecycleAnalysis } from "./analyses/lifecycle.js";
import { motionAnalysis } from "./analyses/motion.js";
import { phasesAnalysis } from "./analyses/phases.js";
import { statisticsAnalysis } from "./analyses/statistics.js";
import { timelineAnalysis } from "./analyses/timeline.js";
import { topologyAnalysis } from "./analyses/topology.js";
import type { Analysis } from "./analysis.js";

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
  phasesAnalysis,
  kinematicsAnalysis,
  deadMassAnalysis,
  adamwAnalysis,
] as const;

export type AnalysisName = (typeof ownAnalyses)[number]["name"];

const registered: Analysis[] = [];

/** All analyses, in the order of documents and tables: those of bh-bridge, then registered ones as they came. */
export function allAnalyses(): readonly Analysis[] {
  return [...ownAnalyses, ...registered];
}

/** Let an analysis be one of all from now on. */
export function addAnalysis(analysis: Analysis): void {
  registered.push(analysis);
}
