import { families, familyOf } from "../models/families.js";
import type { CrossFieldRule } from "./cross-field-rule.js";

/** Sizes of a model that have to fit each other, by its family. */
export const modelRules: readonly CrossFieldRule[] = Object.keys(families).flatMap((type) =>
  (familyOf({ type })?.rules ?? []).map(({ field, reads, problem }) => ({
    path: `model.${field}`,
    reads: reads.map((name) => `model.${name}`),
    problem: ({ model }) => (model.type === type ? problem(model) : undefined),
  })),
);
