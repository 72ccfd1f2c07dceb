import { z } from "zod";
import { withOwnVocabulary } from "./models/python-model.js";
import { otherForms, readOldFields } from "./old-engine-fields.js";
import { type CrossFieldRule, dataRules, modelRules, optimizerRules } from "./rules/cross-field-rule.js";
import { engineRules } from "./rules/engine-rules.js";
import { recordRules } from "./rules/record-rules.js";
import { processRules, trainingRules } from "./rules/training-rules.js";
import { runConfigFields } from "./run-config-fields.js";
import type { RunConfigInput } from "./run-config-input.generated.js";

/** What has to hold between fields, each with its remedy. */
const crossFieldRules: readonly CrossFieldRule[] = [
  ...dataRules,
  ...modelRules,
  ...recordRules,
  ...trainingRules,
  ...optimizerRules,
  ...engineRules,
  ...processRules,
];

export type { RunConfig } from "./run-config-fields.js";

/** The fields with the rules between them, without the forms of earlier versions. */
export const checkedRunConfig = runConfigFields.superRefine((config, context) => {
  for (const { path, reads, problem } of crossFieldRules) {
    const message = problem(config);
    if (message !== undefined) context.addIssue({ code: "custom", path: path.split("."), message, params: { reads } });
  }
});

/** Values as they were written, in the form that `checkedRunConfig` expects. */
export function readWritten(written: unknown): unknown {
  return withOwnVocabulary(readOldFields(written));
}

/** The fields as they may be written: those of earlier versions too. */
export const writtenRunConfig = runConfigFields.extend(otherForms);

/**
 * One run's configuration, complete: what `config.json` of a run holds, what Python receives, what the hash is taken of. Parsing is strict and fills in every
 * default; the defaults are the notebook's, preset `rmsnorm-11.2a`. A default is chosen in these schemas and nowhere else.
 */
export const runConfigSchema = z.preprocess((written: RunConfigInput) => readWritten(written), checkedRunConfig);

export type { RunConfigInput } from "./run-config-input.generated.js";
