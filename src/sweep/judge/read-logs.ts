import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { z } from "zod";
import { BhBridgeError } from "../../errors.js";
import { readTrainerState } from "../../formats/hf/hf-directory.js";
import { runScriptWith } from "../../python/run-python-script.js";
import { isRunDirectory } from "../../runs/run-layout.js";
import { findRun, noLockHolders, scanRuns } from "../../runs/scan-runs.js";
import type { Question } from "../plan/plan.js";
import { planFileName, readPlan } from "../plan/plan-directory.js";
import { distinctLabels } from "../plan/trial-label.js";
import { readSweep } from "../sweep-summary.js";
import type { Table, TableRow } from "./read-table.js";

/** Runs of this package by arm. */
export interface OwnRuns {
  readonly runs: readonly { readonly arm: string; readonly directory: string }[];
  /** Of an experiment. */
  readonly question: Question | null;
}

/**
 * The runs of a folder by arm: those of an experiment, of the points of a sweep, or the runs themselves by name. Undefined for another folder.
 * @throws {BhBridgeError} `RUN_CORRUPT`, `FILE_UNREADABLE`.
 */
export async function readOwnRuns(folder: string): Promise<OwnRuns | undefined> {
  if (existsSync(join(folder, planFileName))) {
    const { question } = readPlan(folder);
    const { trials } = await readSweep(folder, noLockHolders);
    const labelOf = distinctLabels(trials.map(({ set: { seed: _, ...set }, ...trial }) => ({ ...trial, set })));
    const ended = trials.flatMap(({ run, status, arm, set: { seed: _, ...set } }) =>
      run === null || status !== "completed" ? [] : [{ arm: arm ?? labelOf({ set }), directory: run }],
    );
    return { runs: ended, question };
  }
  const found = isRunDirectory(folder) ? [await findRun(folder, noLockHolders)] : await scanRuns(folder, noLockHolders);
  if (found.length === 0) return undefined;
  const completed = found.flatMap(({ status, manifest, directory }) => (status === "completed" && manifest ? [{ arm: manifest.name, directory }] : []));
  return { runs: completed.map(({ arm, directory }) => ({ arm: armAndSeed(arm).arm, directory })), question: null };
}

const trainerState = "trainer_state.json";
const eventFile = /^events\.out\.tfevents\./;
const checkpoint = /^checkpoint-\d+$/;
/** Values that describe the training, not its result. They are measures only if they are named. */
const aside =
  /(?:^|[/_.])(?:epoch|step|steps|global_step|runtime|timestamp|samples|total_flos|learning_rate|lr|grad_norm|samples_per_second|steps_per_second)$|^config\.|^_/;

/**
 * The last values of foreign logs in a folder: `trainer_state.json` of Hugging Face's Trainer, event files of TensorBoard, or offline directories of W&B. The
 * path of a log names arm and seed: `arm/seed-1`, `arm/1` or `arm-seed1`.
 * @param python interpreter that has the library of the logs.
 * @throws {BhBridgeError} `USAGE` for a folder without logs, `PYTHON_DEPENDENCY_MISSING`, `PYTHON_NOT_FOUND`, `FORMAT_INVALID`.
 */
export async function readLogs(folder: string, { python, signal }: { python?: string | undefined; signal?: AbortSignal | undefined } = {}): Promise<Table> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const states = names.filter((name) => basename(name) === trainerState);
  if (states.length > 0) return tableOfLogs(folder, trainerLogs(folder, states));
  const kind = names.some((name) => eventFile.test(basename(name))) ? "tensorboard" : names.some((name) => name.endsWith(".wandb")) ? "wandb" : undefined;
  if (kind === undefined) {
    const message = `${folder} has neither runs, a sweep or an experiment of bh-bridge, nor ${trainerState}, TensorBoard events or W&B offline runs`;
    throw new BhBridgeError("USAGE", `${message}. Name a folder with one of these, or a table`);
  }
  return tableOfLogs(folder, await pythonLogs(folder, kind, python, signal));
}

/** The last checkpoint of each training, with the last value of every logged name. */
function trainerLogs(folder: string, states: readonly string[]): Log[] {
  const trainings = new Map<string, { step: number; log: Log }>();
  for (const path of states) {
    const directory = dirname(path);
    const at = checkpoint.test(basename(directory)) ? dirname(directory) : directory;
    const state = readTrainerState(join(folder, directory));
    const known = trainings.get(at);
    if (state === undefined || (known && known.step >= state.global_step)) continue;
    const values = Object.assign({}, ...state.log_history) as Record<string, unknown>;
    const finite = Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? value : null] as const);
    trainings.set(at, { step: state.global_step, log: { at, values: Object.fromEntries(finite) } });
  }
  return [...trainings.values()].map(({ log }) => log);
}

const logSchema = z.object({
  /** Folder of the log, relative to the given one. */
  at: z.string(),
  values: z.record(z.string(), z.number().nullable()),
  name: z.string().optional(),
  group: z.string().optional(),
  config: z.record(z.string(), z.unknown()).optional(),
});
type Log = z.output<typeof logSchema>;
const answerSchema = z.object({ logs: z.array(logSchema) });

/** Reading the events of hundreds of runs takes minutes. */
const timeoutMs = 600_000;

async function pythonLogs(folder: string, kind: "tensorboard" | "wandb", python: string | undefined, signal: AbortSignal | undefined): Promise<Log[]> {
  const what = kind === "tensorboard" ? "Reading TensorBoard logs" : "Reading W&B offline runs";
  const answer = await runScriptWith(kind, { python, what }, { file: "scripts/read_logs.py", args: [kind, folder], timeoutMs, signal });
  return answerSchema.parse(answer).logs;
}

function tableOfLogs(folder: string, logs: readonly Log[]): Table {
  const rows = logs.map(({ at, values, name, group, config = {} }): TableRow => {
    const named = armAndSeed(name || at);
    const seed = config["seed"] ?? named.seed;
    const settings = Object.entries(config).map(([key, value]) => [`config.${key}`, value]);
    return { at: at || ".", cells: { ...Object.fromEntries(settings), ...values, arm: group || named.arm, ...(seed !== undefined && { seed }) } };
  });
  const hasSeeds = rows.every(({ cells }) => cells["seed"] !== undefined);
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))].filter((name) => name !== "seed" || hasSeeds);
  return { source: folder, columns, rows, asides: columns.filter((name) => aside.test(name)) };
}

const numberAlone = /^(?:seed|s|run)?[-_=]?(\d+)$/i;
const numberBehind = /^(.*?)[-_.](?:seed|s|run)?[-_=]?(\d+)$/i;

/** Arm and seed in a path: `base/seed-1`, `base/1`, `1/base`, `base-seed1`. */
export function armAndSeed(path: string): { readonly arm: string; readonly seed: string | undefined } {
  const parts = path.split(sep).filter((part) => part !== "" && part !== ".");
  const alone = parts.findLastIndex((part) => numberAlone.test(part));
  if (alone >= 0 && parts.length > 1) return { arm: parts.toSpliced(alone, 1).join("/"), seed: numberAlone.exec(parts[alone] ?? "")?.[1] };
  const [, name, seed] = numberBehind.exec(parts.at(-1) ?? "") ?? [];
  return name === undefined ? { arm: parts.join("/"), seed: undefined } : { arm: [...parts.slice(0, -1), name].join("/"), seed };
}
