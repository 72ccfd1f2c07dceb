import { basename } from "node:path";
import { differences } from "../compare/differences.js";
import { configIdentity } from "../config/config-hash.js";
import { inlineYaml } from "../config/inline-yaml.js";
import { printable } from "../text/printable.js";
import type { RunSource } from "./runs/run-source.js";

/** A longer label would not leave room for a second one. */
const longest = 48;

/** What tells runs from one another in a legend: the settings in which they differ, else their names, else their directories. */
export function runLabels(runs: readonly Pick<RunSource, "config" | "manifest" | "directory">[]): string[] {
  const differing = differences(runs.map(({ config }) => configIdentity(config)));
  const bySetting = runs.map((_, run) => differing.map(({ path, values }) => `${path.split(".").at(-1)} ${inlineYaml(values[run])}`).join(", "));
  const byName = runs.map(({ manifest }) => printable(manifest.name, longest));
  const tells = (labels: readonly string[]) => new Set(labels).size === runs.length && labels.every((label) => label !== "" && label.length <= longest);
  if (tells(bySetting)) return bySetting;
  return tells(byName) ? byName : runs.map(({ directory }) => printable(basename(directory), 2 * longest));
}
