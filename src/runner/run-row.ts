import { z } from "zod";
import { census } from "../analysis/census/census.js";
import { nonfiniteTokens } from "../analysis/elements.js";
import { BhBridgeError } from "../errors.js";
import { readState } from "../formats/read-state.js";
import { newestRecord } from "../runs/history-index.js";
import { openHistory } from "../runs/open-history.js";
import { lastEvent } from "../runs/read-events.js";
import { readRunConfig } from "../runs/run-config.js";
import { requireRunEntries } from "../runs/run-layout.js";
import { readRunNotes } from "../runs/run-notes.js";
import { type FoundRun, runStatuses } from "../runs/scan-runs.js";

/** A matrix of more elements is not counted for a list: 4 million take 10 ms, and a list can have a thousand runs. */
const maxElements = 1 << 22;

/** One run in a list; null where a run has not got that far, or cannot be read. */
export const runRowSchema = z.strictObject({
  /** Absolute path of its directory. */
  run: z.string(),
  /** Display name. */
  name: z.string(),
  status: z.enum(runStatuses),
  /** Why it stopped or failed. */
  reason: z.string().nullable(),
  preset: z.string().nullable(),
  seed: z.int().nullable(),
  created: z.string().nullable(),
  ended: z.string().nullable(),
  /** Seconds of training. */
  seconds: z.number().nullable(),
  steps: z.strictObject({ planned: z.int(), done: z.int() }).nullable(),
  /** Mean training loss since the log before, at the newest log: the last loss of the run's own table. Before the first log, the loss of the newest step. */
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
  /** What makes it corrupt. */
  problem: z.string().nullable(),
});
export type RunRow = z.output<typeof runRowSchema>;

/** Sum up a run for a list, from its files as they are now. What cannot be read makes it `corrupt`, and is said. */
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
