/** The analyses that `only` chooses from. */
export const analysisNames = ["timeline", "statistics", "motion", "lifecycle", "topology", "geometry"] as const;
export type AnalysisName = (typeof analysisNames)[number];
