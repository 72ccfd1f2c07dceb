import type { RunInput } from "./resolve-run-config.js";

/** A configuration in a TypeScript file, checked and completed by the editor: `export default defineRun({ … })`. */
export function defineRun(config: RunInput): RunInput {
  return config;
}
