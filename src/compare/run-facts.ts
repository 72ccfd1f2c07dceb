import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { configIdentity } from "../config/config-hash.js";
import { configValues, type JsonValue } from "../config/json-value.js";
import type { Json } from "../formats/read-json.js";
import type { Run } from "../runner/open-run.js";
import { sha256OfFile } from "../runs/checksums.js";
import { readRunDocument } from "../runs/read-run-json.js";
import { runFiles } from "../runs/run-layout.js";
import { withoutKernel } from "../runs/run-manifest.js";

/** Sections of a run's inputs. */
export const factSections = ["config", "data", "environment", "code"] as const;
type FactSection = (typeof factSections)[number];
type RunFacts = Record<FactSection, object>;

/** The inputs of a run that affect its results: no names, paths and times. */
export function tellingFacts({ directory, config, manifest }: Pick<Run, "directory" | "config" | "manifest">): RunFacts {
  const { data, ...identity } = configIdentity(config);
  const { corpus: _name, ...dataFields } = data; // the text itself is compared among the data
  const { path: _path, files, ...corpus } = manifest.corpus;
  const { environment, package_version, git, start_from, model_changes } = manifest;
  return {
    config: { ...identity, data: dataFields },
    data: { ...corpus, ...(files && { files: files.map(({ path: _place, ...file }) => file) }) },
    environment: { ...environment, platform: withoutKernel(environment.platform) },
    code: {
      package_version,
      commit: git?.commit ?? null,
      dirty: git?.dirty ?? null,
      patch_sha256: sha256IfThere(directory, runFiles.patch),
      callbacks_sha256: sha256IfThere(directory, runFiles.callbacks),
      start_from: start_from && basename(start_from),
      model_changes,
    },
  };
}

/** All recorded inputs of a run, with names, paths, times and all packages. */
export function allFacts(run: Run): RunFacts {
  const { directory, config, manifest } = run;
  const { environment, git, start_from, name, preset, created, ended } = manifest;
  return {
    config,
    data: manifest.corpus,
    environment: {
      ...environment,
      python_side: jsonIfThere(directory, runFiles.pythonEnvironment),
      node_side: jsonIfThere(directory, runFiles.nodeEnvironment),
    },
    code: { ...tellingFacts(run).code, start_from, branch: git?.branch ?? null, untracked: git?.untracked ?? null, name, preset, created, ended },
  };
}

function sha256IfThere(directory: string, name: string): string | null {
  const path = join(directory, name);
  return existsSync(path) ? sha256OfFile(path) : null;
}

function jsonIfThere(directory: string, name: string): Json {
  return readRunDocument(directory, name, z.json()) ?? null;
}

/** One value in which runs differ, by its dotted path; null for a run without it. */
export const differenceSchema = z.strictObject({ path: z.string(), values: z.array(z.json()) });
export type Difference = z.output<typeof differenceSchema>;

/** The values in which plain objects differ, in order of first appearance. */
export function differences(objects: readonly object[]): Difference[] {
  const all = objects.map((object) => configValues(object));
  const paths = new Set(all.flatMap((values) => [...values.keys()]));
  return [...paths]
    .map((path) => ({ path, values: all.map((values): JsonValue => values.get(path) ?? null) }))
    .filter(({ values }) => values.some((value) => !isDeepStrictEqual(value, values[0])));
}
