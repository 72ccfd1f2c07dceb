import { z } from "zod";
import { census } from "../analysis/census/census.js";
import { nonfiniteTokens } from "../analysis/elements.js";
import { nearestName } from "../config/config-invalid.js";
import { configValues } from "../config/json-value.js";
import type { RunConfig } from "../config/run-config-schema.js";
import { BhBridgeError } from "../errors.js";
import { readState } from "../formats/history.js";
import { newestRecord } from "../runs/history-index.js";
import { openHistory } from "../runs/open-history.js";
import { lastEvent } from "../runs/read-events.js";
import { readRunConfig } from "../runs/run-config.js";
import { foreignNames, requireRunEntries } from "../runs/run-layout.js";
import { readRunNotes } from "../runs/run-manifest.js";
import { type FoundRun, runStatuses } from "../runs/scan-runs.js";
import { readForeign } from "./foreign-run.js";

/** Larger matrices have no census in lists: 4 million elements take 10 ms, and a list can have a thousand runs. */
const maxElements = 1 << 22;

/** One run in a list; values that do not exist yet or cannot be read are null. */
export const runRowSchema = z.strictObject({
  /** Absolute path of its directory. */
  run: z.string(),
  /** Display name. */
  name: z.string(),
  status: z.enum(runStatuses),
  /** Why it stopped or failed; of a log of another program, whose it is. */
  reason: z.string().nullable(),
  preset: z.string().nullable(),
  seed: z.int().nullable(),
  created: z.string().nullable(),
  ended: z.string().nullable(),
  /** Seconds of training. */
  seconds: z.number().nullable(),
  steps: z.strictObject({ planned: z.int(), done: z.int() }).nullable(),
  /** Mean training loss of the newest log; before the first log, the loss of the newest step. */
  loss: z.number().nullable(),
  /** Whether every weight of the newest recorded state is a finite number. */
  finite: z.boolean().nullable(),
  /** Black holes and their population in the newest recorded state, among the recorded rows. */
  C: z.int().nullable(),
  P: z.int().nullable(),
  configHash: z.string().nullable(),
  tags: z.array(z.string()),
  note: z.string().nullable(),
  /** The process that writes it, while it is running. */
  pid: z.int().nullable(),
  /** Why it is corrupt, or cannot be read here. */
  problem: z.string().nullable(),
});
export type RunRow = z.output<typeof runRowSchema>;

/** Summarize a run for a list from its present files. An unreadable run is `corrupt`, with its `problem`. */
export async function runRow(found: FoundRun): Promise<RunRow> {
  const { directory, id, status, manifest, problem, pid } = found;
  const row: RunRow = {
    run: directory,
    name: manifest?.name ?? id,
    status,
    reason: manifest?.reason ?? null,
    preset: manifest?.preset ?? null,
    seed: null,
    created: manifest?.created ?? null,
    ended: manifest?.ended ?? null,
    seconds: manifest?.seconds ?? null,
    steps: null,
    loss: null,
    finite: null,
    C: null,
    P: null,
    configHash: manifest?.config_hash ?? null,
    tags: [],
    note: null,
    pid: pid ?? null,
    problem: problem ?? null,
  };
  if (status === "foreign") return { ...row, ...(await foreignRow(directory)) };
  if (!manifest) return row;
  try {
    requireRunEntries(directory);
    const { seed, training } = readRunConfig(directory);
    const newest = newestRecord(directory);
    const steps = { planned: training.max_steps, done: newest?.step ?? 0 };
    const { note, tags } = readRunNotes(directory);
    return { ...row, note, tags, seed, steps, loss: newestLoss(directory), ...(newest && (await newestState(directory))) };
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    return { ...row, status: status === "running" ? status : "corrupt", problem: error.message };
  }
}

/** What a log of another program has of a row. Without Python or its library, the reason is the `problem`. */
async function foreignRow(directory: string): Promise<Partial<RunRow>> {
  try {
    const { kind, steps, lines, changed } = await readForeign(directory);
    const loss = lines.get("loss")?.y.at(-1) ?? Number.NaN;
    return { reason: `log of ${foreignNames[kind]}, read-only`, steps, loss: Number.isFinite(loss) ? loss : null, ended: changed };
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    return { problem: error.message };
  }
}

function newestLoss(directory: string): number | null {
  const log = lastEvent(directory, "log");
  const loss = (log ? log.logs["loss"] : lastEvent(directory, "step_end")?.loss) ?? Number.NaN;
  return Number.isFinite(loss) ? loss : null;
}

async function newestState(directory: string): Promise<Pick<RunRow, "finite" | "C" | "P">> {
  const history = await openHistory(directory);
  try {
    if (history.tokens * history.dims > maxElements) return { finite: null, C: null, P: null };
    const state = readState(history, history.states - 1);
    const { C, P } = census(state);
    return { finite: nonfiniteTokens(state).length === 0, C, P };
  } finally {
    history.close();
  }
}

/** A run in a list, with its configuration if readable. */
export interface ListedRun {
  row: RunRow;
  config: RunConfig | undefined;
}

/** The value of a field in lists. */
export type FieldValue = string | number | readonly string[] | null;

/** Fields that lists show in another way than `RunRow` stores them. */
const derivedFields: Readonly<Record<string, (row: RunRow) => FieldValue>> = {
  run: ({ run }) => run.slice(run.lastIndexOf("/") + 1),
  steps: ({ steps }) => steps?.done ?? null,
  planned: ({ steps }) => steps?.planned ?? null,
  finite: ({ finite }) => (finite === null ? null : finite ? "yes" : "no"),
  hash: ({ configHash }) => configHash?.slice(0, 8) ?? null,
};

/** HF's names of fields that are outside `training` in a configuration. */
const hfNames: Readonly<Record<string, string>> = { "training.seed": "seed", "training.run_name": "name" };

/** Names of the fields of every run, in addition to those of the configuration such as `training.learning_rate`. */
export const runFieldNames: readonly string[] = Object.keys(runRowSchema.shape).flatMap((name) =>
  name === "steps" ? [name, "planned"] : name === "configHash" ? "hash" : name,
);

function ownField(name: string): ((row: RunRow) => FieldValue) | undefined {
  const own = Object.hasOwn(hfNames, name) ? (hfNames[name] ?? name) : name;
  if (!runFieldNames.includes(own)) return undefined;
  return derivedFields[own] ?? ((row) => row[own as Exclude<keyof RunRow, "steps" | "finite">]);
}

/** The value of a field of a run or of its configuration by dotted path, null if missing. */
export function fieldOf({ row, config }: ListedRun, name: string): FieldValue {
  const own = ownField(name);
  if (own) return own(row);
  const value = config && configValues(config).get(name);
  if (value === undefined || value === null) return null;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}

/** Require that a field exists in some run. @throws {BhBridgeError} `USAGE` naming the nearest. */
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
