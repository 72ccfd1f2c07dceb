import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { count, type TextColors } from "../text/format.js";
import { type FieldDifference, typeName } from "./config-hash.js";
import { configSchemaFile, configSchemaFrom, fieldsOf, type JsonSchemaNode, rootField } from "./json-schema.js";
import { isPlainObject, type JsonValue } from "./json-value.js";
import { presets } from "./presets.js";
import type { ResolvedConfig } from "./resolve-run-config.js";

/** Width that the comments are wrapped to. */
const commentWidth = 110;

/** A configuration as a YAML file of one's own: the line that tells an editor its schema, and each field's documentation above it. It loads back to the same configuration. */
export function annotatedYaml({ config, preset }: ResolvedConfig, cwd: string): string {
  const { title, summary } = presets[preset];
  const head = [
    `# yaml-language-server: $schema=${configSchemaFrom(cwd) ?? pathToFileURL(configSchemaFile).href}`,
    ...comment(`${title}. ${summary}`, ""),
    "# Run it: bh-bridge train -c FILE. Check it: bh-bridge config check FILE. Omitted fields use the preset's values.",
    "",
    ...comment(rootField().properties?.["preset"]?.description ?? "", ""),
    `preset: ${preset}`,
  ];
  return [...head, ...sectionLines(rootField(), config, 0)].join("\n");
}

function sectionLines(section: JsonSchemaNode, values: Record<string, unknown>, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const fields = fieldsOf(section, values);
  const set = Object.entries(values).flatMap(([key, value]) => {
    const field = fields[key];
    if (value === undefined || field === undefined) return [];
    const heading = [...(depth === 0 ? [""] : []), ...comment(field.description ?? "", indent)];
    const below = isPlainObject(value) && Object.keys(fieldsOf(field, value)).length > 0;
    return [...heading, ...(below ? [`${indent}${key}:`, ...sectionLines(field, value, depth + 1)] : [`${indent}${key}: ${inlineYaml(value)}`])];
  });
  return [...set, ...unsetLines(fields, values, indent)];
}

/** The fields without a value, each as a comment. */
function unsetLines(fields: Record<string, JsonSchemaNode>, values: Record<string, unknown>, indent: string): string[] {
  const unset = Object.entries(fields).filter(([key]) => values[key] === undefined && key !== "$schema" && key !== "preset");
  if (unset.length === 0) return [];
  return [
    ...(indent === "" ? [""] : []),
    `${indent}# Not set:`,
    ...unset.flatMap(([key, field]) => comment(`${key}: ${field.description ?? ""}`, `${indent}`, "# - ")),
  ];
}

function comment(text: string, indent: string, mark = "# "): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || indent.length + line.length + 1 + word.length > commentWidth)
      lines.push(`${indent}${line === undefined ? mark : "# ".padEnd(mark.length)}${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

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

/** Below this, 3e-5 is easier to read than 0.00003. */
const smallestPlainNumber = 1e-3;

/** A value as YAML on one line; text with line breaks is quoted, lists and objects are in brackets. */
export function inlineYaml(value: unknown): string {
  if (typeof value === "string" && /[\r\n]/.test(value)) return JSON.stringify(value);
  if (typeof value === "number" && value !== 0 && Math.abs(value) < smallestPlainNumber) return value.toExponential();
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
