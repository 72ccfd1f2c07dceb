import { crossFieldRules } from "./cross-field-rules.js";
import { runConfigFields } from "./run-config-fields.js";

export type { Experiment } from "./run-config-fields.js";

/**
 * One experiment, complete: what `config.json` of a run holds, what Python receives, what the hash is taken of.
 *
 * Parsing is strict and fills in every default; the defaults are the seed, preset `rmsnorm-11.2a`. A default is chosen in these schemas and nowhere else.
 */
export const experimentSchema = runConfigFields.superRefine((experiment, context) => {
  for (const { path, reads, problem } of crossFieldRules) {
    const message = problem(experiment);
    if (message !== undefined) context.addIssue({ code: "custom", path: path.split("."), message, params: { reads } });
  }
});

export type { ExperimentInput } from "./run-config-input.generated.js";
