import { count } from "../text/count.js";
import { type FieldDifference, typeName } from "./diff-run-configs.js";
import { inlineYaml } from "./inline-yaml.js";
import type { JsonValue } from "./json-value.js";
import type { ResolvedConfig } from "./resolve-run-config.js";
import type { TextColors } from "./text-colors.js";

/** `Changed from quick: 2 values`, and a line for each with its old value, its new one and who set it; shown at the start of a run. */
export function formatChanges({ preset, changes }: ResolvedConfig, color: TextColors): string {
  if (changes.length === 0) return `Configuration: ${color.bold(preset)}, unchanged`;
  const title = `Changed from ${color.bold(preset)}: ${count(changes.length, "value")}`;
  const width = Math.max(...changes.map(({ path }) => path.length));
  return [title, ...changes.map((change) => `  ${formatDifference(change, width, color)}  ${color.dim(`(${change.source})`)}`)].join("\n");
}

/** `training.max_steps  10000 → 300`, with a word on a change of type. */
export function formatDifference({ path, before, after, typeChanged }: FieldDifference, width: number, color: TextColors): string {
  const type = typeChanged ? color.yellow(` (type changed: ${typeName(before)} → ${typeName(after)})`) : "";
  return `${path.padEnd(width)}  ${color.red(shown(before))} → ${color.green(shown(after))}${type}`;
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? "(not set)" : inlineYaml(value);
}
