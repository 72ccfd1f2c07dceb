import { BhBridgeError, type ConfigIssue } from "../errors.js";

/** One error for all that is wrong in a configuration: each problem on a line, its source below it. */
export function configInvalid(issues: ConfigIssue[], cause?: unknown): BhBridgeError {
  const title = issues.length === 1 ? "The configuration has a problem:" : `The configuration has ${issues.length} problems:`;
  const lines = issues.map(({ path, message, source }) => `  ${path}: ${message}${source === undefined ? "" : `\n    from ${source}`}`);
  return new BhBridgeError("CONFIG_INVALID", [title, ...lines].join("\n"), cause === undefined ? { issues } : { issues, cause });
}
