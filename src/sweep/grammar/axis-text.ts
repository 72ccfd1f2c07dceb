import { parseValue } from "../../config/set-layer.js";
import type { ConfigIssue } from "../../errors.js";

/** An axis on the command line: its field, and its values as a file would have them, not checked yet. */
export interface AxisText {
  path: string;
  values: unknown;
}

/**
 * Take `path=values` apart: `a=1,2,3`, `a=1..9`, `a=logspace:1e-6,1e-3,7`, `a=linspace:0,1,5`, or JSON (`a=[1,2]`, `a={"logspace":[1e-6,1e-3,7]}`).
 *
 * @param option the option that has it, for messages.
 */
export function parseAxisText(text: string, option: string, issues: ConfigIssue[]): AxisText | undefined {
  const equals = text.indexOf("=");
  const path = text.slice(0, Math.max(0, equals)).trim();
  const written = text.slice(equals + 1).trim();
  if (!/^[^.\s]+(\.[^.\s]+)*$/.test(path) || written === "") {
    issues.push({ path: text, message: "is not path=values, for example training.learning_rate=1e-3,3e-4", source: option });
    return undefined;
  }
  return { path, values: valuesOf(written) };
}

function valuesOf(written: string): unknown {
  const json = parseValue(written);
  if (typeof json === "object" && json !== null) return json;
  if (/^-?\d+\s*\.\.\s*-?\d+$/.test(written)) return written;
  const [, space, span] = /^(logspace|linspace):(.*)$/.exec(written) ?? [];
  if (space !== undefined && span !== undefined) return { [space]: span.split(",").map((part) => parseValue(part.trim())) };
  return written.split(",").map((part) => parseValue(part.trim()));
}

/** Seeds on the command line: `42..51`, `1,2,5`, or one. */
export function parseSeedsText(text: string): unknown {
  const parts = text.split(",").map((part) => part.trim());
  return parts.length > 1 ? parts.map(parseValue) : parseValue(text.trim());
}
