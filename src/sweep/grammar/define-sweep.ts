import type { RunInput } from "../../config/resolve-run-config.js";
import type { SweepInput } from "./sweep-schema.js";

/** A sweep in a program: its base may be typed like any configuration. */
export interface SweepDefinition extends Omit<SweepInput, "base"> {
  /** What every trial starts from: a preset, a configuration file, or the fields themselves. */
  base?: string | RunInput;
}

/** A sweep in a TypeScript file, checked and completed by the editor: `export default defineSweep({ … })`. */
export function defineSweep(sweep: SweepDefinition): SweepDefinition {
  return sweep;
}
