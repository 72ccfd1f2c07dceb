import type { RunInput } from "../../config/resolve-run-config.js";
import type { RunConfigInput } from "../../config/run-config-schema.js";
import type { ExperimentInput } from "./experiment-schema.js";

/** What an arm sets: fields of a configuration in their sections, or by their dotted paths. */
export type Arm = RunConfigInput & { readonly [path: `${string}.${string}`]: unknown };

/** An experiment in a program: base and arms may be typed like any configuration. */
export interface ExperimentDefinition extends Omit<ExperimentInput, "base" | "arms"> {
  /** What every run starts from: a preset, a configuration file, or the fields themselves. */
  base?: string | RunInput;
  /** What each arm sets over the base, by name. The first arm is the control. */
  arms: Readonly<Record<string, Arm>>;
}

/** An experiment in a TypeScript file, checked and completed by the editor: `export default defineExperiment({ … })`. */
export function defineExperiment(experiment: ExperimentDefinition): ExperimentDefinition {
  return experiment;
}
