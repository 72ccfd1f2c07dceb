import type { CrossFieldRule } from "./cross-field-rule.js";
import { dataRules } from "./data-rules.js";
import { engineRules } from "./engine-rules.js";
import { modelRules } from "./model-rules.js";
import { optimizerRules } from "./optimizer-rules.js";
import { processRules } from "./process-rules.js";
import { recordRules } from "./record-rules.js";
import { trainingRules } from "./training-rules.js";

/** What has to hold between fields, each with its remedy. */
export const crossFieldRules: readonly CrossFieldRule[] = [
  ...dataRules,
  ...modelRules,
  ...recordRules,
  ...trainingRules,
  ...optimizerRules,
  ...engineRules,
  ...processRules,
];
