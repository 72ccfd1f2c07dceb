import type { ExperimentOptions } from "./load-run-config.js";

/** An experiment in a TypeScript file, checked and completed by the editor: `export default defineExperiment({ … })`. */
export function defineExperiment(experiment: ExperimentOptions): ExperimentOptions {
  return experiment;
}
