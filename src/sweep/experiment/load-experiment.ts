import { existsSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { configInvalid } from "../../config/config-invalid.js";
import type { Layer } from "../../config/layer.js";
import { nearestName } from "../../config/nearest-name.js";
import { readWrittenObject } from "../../config/read-config-file.js";
import { seedsOf } from "../grammar/seeds.js";
import { writtenIssues } from "../grammar/written-issues.js";
import type { ExperimentDefinition } from "./define-experiment.js";
import { experimentPresetNames, experimentPresets, isExperimentPresetName } from "./experiment-presets.js";
import { type ExperimentSpec, experimentSchema } from "./experiment-schema.js";
import { appliedRules, type Rules } from "./rules.js";

/** An experiment that has been read: checked by itself, base and arms as they were written. */
export interface LoadedExperiment extends Omit<ExperimentSpec, "name" | "rules" | "seeds" | "$schema"> {
  readonly name: string;
  /** Absent where the seed is the base's. */
  readonly seeds?: readonly number[];
  /** With nothing left out. */
  readonly rules: Rules;
  /** Where its relative paths start. */
  readonly directory: string;
  /** Where a path of the experiment stands: `norms.yaml:3:5`. */
  sourceOf(path: string): string;
}

interface WrittenExperiment extends Layer {
  directory: string;
  name: string;
}

/**
 * Read an experiment.
 *
 * @param from the name of one that ships, a JSON, YAML, TypeScript or JavaScript file, or the definition itself.
 * @param cwd where a relative path of a file starts.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once.
 */
export async function loadExperiment(from: string | ExperimentDefinition, cwd: string = process.cwd()): Promise<LoadedExperiment> {
  const { values, sourceOf, directory, name } = await written(from, cwd);
  const parsed = experimentSchema.safeParse(values);
  if (!parsed.success) throw configInvalid(writtenIssues(parsed.error, values, Object.keys(experimentSchema.shape), sourceOf), parsed.error);
  const { $schema: _, rules, seeds, ...spec } = parsed.data;
  return { ...spec, name: spec.name ?? name, ...(seeds !== undefined && { seeds: seedsOf(seeds) }), rules: appliedRules(rules), directory, sourceOf };
}

async function written(from: string | ExperimentDefinition, cwd: string): Promise<WrittenExperiment> {
  if (typeof from !== "string") return { values: { ...from }, sourceOf: () => "input", directory: cwd, name: "experiment" };
  if (isExperimentPresetName(from)) return { values: { ...experimentPresets[from].experiment }, sourceOf: () => `preset ${from}`, directory: cwd, name: from };
  if (!existsSync(resolve(cwd, from)) && extname(from) === "") {
    const near = nearestName(from, experimentPresetNames);
    const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
    const message = `there is no experiment ${JSON.stringify(from)}, and no file of this name: ${meant}there are ${experimentPresetNames.join(", ")}`;
    throw configInvalid([{ path: "experiment", message }]);
  }
  const { file, values, sourceOf } = await readWrittenObject(from, cwd, { what: "an experiment", definedBy: "defineExperiment" });
  return { values, sourceOf, directory: dirname(file), name: basename(file, extname(file)) };
}
