import { configValues } from "../config/config-values.js";
import { nearestName } from "../config/nearest-name.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import type { RunRow } from "./run-row.js";

/** A run in a list, with its configuration where that can be read. */
export interface ListedRun {
  row: RunRow;
  config: RunConfig | undefined;
}

/** What can be compared, sorted by and shown. */
export type FieldValue = string | number | readonly string[] | null;

const ownFields: Readonly<Record<string, (row: RunRow) => FieldValue>> = {
  run: ({ run }) => run.slice(run.lastIndexOf("/") + 1),
  name: ({ name }) => name,
  status: ({ status }) => status,
  reason: ({ reason }) => reason,
  preset: ({ preset }) => preset,
  seed: ({ seed }) => seed,
  created: ({ created }) => created,
  ended: ({ ended }) => ended,
  seconds: ({ seconds }) => seconds,
  steps: ({ steps }) => steps?.done ?? null,
  planned: ({ steps }) => steps?.planned ?? null,
  loss: ({ loss }) => loss,
  finite: ({ finite }) => (finite === null ? null : finite ? "yes" : "no"),
  C: ({ C }) => C,
  P: ({ P }) => P,
  hash: ({ configHash }) => configHash?.slice(0, 8) ?? null,
  tags: ({ tags }) => tags,
  note: ({ note }) => note,
  pid: ({ pid }) => pid,
  problem: ({ problem }) => problem,
};

/** HF's names of what stands outside `training` in a configuration. */
const hfNames: Readonly<Record<string, string>> = { "training.seed": "seed", "training.run_name": "name" };

function ownField(name: string): ((row: RunRow) => FieldValue) | undefined {
  const own = Object.hasOwn(hfNames, name) ? hfNames[name] : name;
  return own !== undefined && Object.hasOwn(ownFields, own) ? ownFields[own] : undefined;
}

/** Names of the fields that every run has; those of the configuration come on top, as `training.learning_rate`. */
export const runFieldNames: readonly string[] = Object.keys(ownFields);

/** The value of a field of a run: one of its own, or of its configuration by dotted path. Null where it has none. */
export function fieldOf({ row, config }: ListedRun, name: string): FieldValue {
  const own = ownField(name);
  if (own) return own(row);
  const value = config && configValues(config).get(name);
  if (value === undefined || value === null) return null;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}

/** Make sure that a field exists in some run. @throws {BhBridgeError} `USAGE` naming the nearest. */
export function requireField(name: string, runs: readonly ListedRun[]): void {
  if (ownField(name)) return;
  const paths = new Set(runs.flatMap(({ config }) => (config ? [...configValues(config).keys()] : [])));
  if (paths.size === 0 || paths.has(name)) return;
  const near = nearestName(name, [...runFieldNames, ...paths]);
  throw new BhBridgeError(
    "USAGE",
    `runs have no field "${name}"${near ? `: did you mean ${near}?` : ""}. There are ${runFieldNames.join(", ")}, and the paths of the configuration`,
  );
}
