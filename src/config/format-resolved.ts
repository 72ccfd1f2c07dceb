import { count } from "../text/count.js";
import { inlineYaml } from "./inline-yaml.js";
import { isPlainObject } from "./json-value.js";
import type { ResolvedConfig } from "./resolve-run-config.js";
import type { TextColors } from "./text-colors.js";

/** Column of the comments: past all but the longest fields, so that they line up without a wide gap. */
const commentColumn = 44;

/** What would run, as YAML that loads back to the same configuration: after each value who set it, and what the preset has where that differs. */
export function formatResolved(resolved: ResolvedConfig, color: TextColors): string {
  const { preset, hash, changes } = resolved;
  const changed = changes.length === 0 ? "unchanged" : `${count(changes.length, "value")} changed`;
  const title = color.dim(`# ${preset}, ${changed}, hash ${hash.slice(0, 8)}`);
  return [title, `preset: ${preset}`, ...fieldLines(resolved.config, [], resolved, color)].join("\n");
}

function fieldLines(object: Record<string, unknown>, path: readonly string[], resolved: ResolvedConfig, color: TextColors): string[] {
  const indent = "  ".repeat(path.length);
  return Object.entries(object).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const here = [...path, key];
    if (isPlainObject(value) && Object.keys(value).length > 0) return [`${indent}${inlineYaml(key)}:`, ...fieldLines(value, here, resolved, color)];
    const text = `${indent}${inlineYaml(key)}: ${inlineYaml(value)}`;
    return [`${text.padEnd(commentColumn)} ${comment(here.join("."), resolved, color)}`];
  });
}

function comment(path: string, { sources, changes }: ResolvedConfig, color: TextColors): string {
  const source = sources.get(path) ?? "default";
  const change = changes.find((one) => one.path === path);
  if (change === undefined) return color.dim(`# ${source}`);
  const before = change.before === undefined ? "not set" : inlineYaml(change.before);
  return `${color.dim("#")} ${color.cyan(source)}${color.dim(`, preset: ${before}`)}`;
}
