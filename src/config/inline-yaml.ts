import { stringify } from "yaml";

/** Below this, 3e-5 is easier to read than 0.00003. */
const smallestPlainNumber = 1e-3;

/** A value as YAML on one line; text with line breaks is quoted, lists and objects are in brackets. */
export function inlineYaml(value: unknown): string {
  if (typeof value === "string" && /[\r\n]/.test(value)) return JSON.stringify(value);
  if (typeof value === "number" && value !== 0 && Math.abs(value) < smallestPlainNumber) return value.toExponential();
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
