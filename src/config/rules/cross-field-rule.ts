import type { RunConfig } from "../run-config-fields.js";

/** A rule that several fields have to meet together. */
export interface CrossFieldRule {
  /** The field that the message is shown at. */
  path: string;
  /** Further fields that the rule reads: it is not checked where one of them is itself wrong. */
  reads: readonly string[];
  /** What is wrong and how to mend it; undefined when all is well. */
  problem(config: RunConfig): string | undefined;
}
