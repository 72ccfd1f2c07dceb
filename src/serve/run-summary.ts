import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { census } from "../analysis/census/census.js";
import { verdict } from "../analysis/verdict.js";
import { configValues } from "../config/json-value.js";
import { isPresetName } from "../config/presets.js";
import { changesFrom } from "../config/resolve-run-config.js";
import { BhBridgeError } from "../errors.js";
import { reduceSeries } from "../figures/reduce-figure.js";
import { FileBytes } from "../formats/file-bytes.js";
import { type History, readState, stepOfState, stepsOf } from "../formats/history.js";
import { itemSizes } from "../formats/matrix.js";
import { stepMethodText } from "../protocol/step-method.js";
import { refusalOf, requireUnchanged } from "../runs/checksums.js";
import { isThere, requireRegular } from "../runs/file-types.js";
import { recordedStep } from "../runs/history-index.js";
import { openHistory } from "../runs/open-history.js";
import { historyFile, historyFiles, runCheckpoints, runFiles } from "../runs/run-layout.js";
import { readRunManifest } from "../runs/run-manifest.js";
import { shellQuote } from "../text/escaping.js";
import type { ServedRun } from "./catalogue.js";
import type { RunOutline, ServedRunDocument } from "./documents.js";
import { servedRow } from "./live-changes.js";
import type { RunView } from "./run-view.js";

/** Points of a line that is 100 pixels wide. */
const points = 120;
/** Snapshots per doubling of the step that are counted for a run without an analysis. */
const perOctave = 6;
/** Bytes of a history that are read for a run without an analysis. */
const sampledBytes = 16 * 2 ** 20;
/** A longer analysis is not read: that of 10,000 steps takes 4 MB. */
const mostAnalysisBytes = 64 * 2 ** 20;
/** Larger matrices have no census in lists, as in `runRow`. */
const maxElements = 1 << 22;

/**
 * Verdict, and P over the steps, of a run in the list. The counts are those of the stored analysis. Without one, a few snapshots are counted, more densely at
 * the start, where most tokens leave. Neither reads a whole history.
 * @param seconds of training, which run.json has only at the end.
 */
export async function runOutline({ id, directory, row }: ServedRun, seconds: number | null = row.seconds): Promise<RunOutline> {
  const outline: RunOutline = { id, rows: null, P: null, verdict: null, seconds };
  if (hasNoFiles(row) || row.steps === null) return outline;
  try {
    const history = await openHistory(directory);
    try {
      if (history.states === 0 || history.tokens * history.dims > maxElements) return outline;
      const analysed = row.status === "running" ? undefined : analysedP(directory, history);
      return {
        ...outline,
        rows: history.tokens,
        P: analysed ? reduceSeries(analysed, points, ["symlog"]) : sampledP(history),
        verdict: row.status === "running" ? null : verdictOf(directory, history),
      };
    } finally {
      history.close();
    }
  } catch (error) {
    if (!(error instanceof BhBridgeError)) throw error;
    return outline; // the page of the run reports what is damaged
  }
}

/** Whether a run has no readable files of bh-bridge: it is corrupt, or a log of another program. */
function hasNoFiles({ status }: Pick<ServedRun["row"], "status">): boolean {
  return status === "corrupt" || status === "foreign";
}

type Line = { x: number[]; y: number[] };

/** The timeline, which is the only part of an analysis that the list needs. */
const timelineText = /"timeline":(\{[^{}]*\})/;
const timelineSchema = z.object({ P: z.array(z.int().nonnegative()) });

/** P of every snapshot by the stored analysis, undefined if there is none, or if it is of another history. */
function analysedP(directory: string, history: History): Line | undefined {
  const path = join(directory, runFiles.analysis);
  if (!isThere(path)) return undefined;
  requireUnchanged(directory, runFiles.analysis);
  const file = new FileBytes(path);
  try {
    if (file.size > mostAnalysisBytes) return undefined;
    const text = Buffer.from(file.read(0, file.size, "its timeline").buffer).toString("utf8");
    const found = timelineSchema.safeParse(JSON.parse(timelineText.exec(text)?.[1] ?? "null"));
    return found.success && found.data.P.length === history.states ? { x: [...stepsOf(history)], y: found.data.P } : undefined;
  } finally {
    file.close();
  }
}

function sampledP(history: History): Line {
  const stateBytes = history.tokens * history.dims * itemSizes[history.dtype];
  const states = octaveStates(history.states, Math.max(2, Math.floor(sampledBytes / stateBytes)));
  return { x: states.map((state) => stepOfState(history, state)), y: states.map((state) => census(readState(history, state)).P) };
}

/** Snapshots that are evenly spread on a logarithmic axis, with the first and the last. */
export function octaveStates(states: number, most: number): number[] {
  const octaves = Math.max(1, Math.log2(Math.max(2, states)));
  const count = Math.min(most - 1, Math.ceil(octaves * perOctave));
  const spread = Array.from({ length: count }, (_, at) => Math.round(2 ** ((octaves * (at + 1)) / count)) - 1);
  return [...new Set([0, ...spread.filter((state) => state < states), states - 1])].sort((left, right) => left - right);
}

/** The verdict by the first and the last snapshot, null if that requires the whole history. */
function verdictOf(directory: string, history: History): RunOutline["verdict"] {
  const [initial, final] = [readState(history, 0), readState(history, history.states - 1)];
  if (Buffer.compare(initial.bytes, final.bytes) === 0) return null; // it may never have moved
  if (final.bytes.every((byte) => byte === 0)) return null; // it may always have been zero
  return verdict({ initial, final, deadTokens: readRunManifest(directory).corpus.deadTokens, degenerate: [] });
}

/** Everything that the page shows of a run beside its lines and snapshots. @throws {BhBridgeError} as `readRunManifest`. */
export async function runDocument(run: ServedRun, events: RunView["events"]): Promise<ServedRunDocument> {
  const { directory, row, config } = run;
  const manifest = hasNoFiles(row) ? undefined : readRunManifest(directory);
  const hasStates = manifest && config && row.steps && recordedStep(directory) !== undefined;
  const preset = manifest?.preset;
  // Not during a training: the verdict would be outdated at once, and requires reading the whole history.
  const { result, damage } = hasStates && row.status !== "running" ? await resultOf(run, config, manifest) : { result: null, damage: null };
  return {
    schema: "bh-bridge/serve-run@1",
    ...servedRow(run),
    config: config ? Object.fromEntries(configValues(config)) : null,
    changes:
      config && preset !== undefined && isPresetName(preset)
        ? changesFrom(preset, config, () => "").map(({ path, before, after }) => ({ path, before: before ?? null, after: after ?? null }))
        : [],
    environment: manifest?.environment ?? null,
    stepMethod: manifest?.step_method ? stepMethodText(manifest.step_method) : null,
    corpus: manifest
      ? { tokens: manifest.corpus.tokens, distinct: manifest.corpus.distinct, dead: manifest.corpus.dead, sha256: manifest.corpus.sha256 }
      : null,
    checkpoints: hasNoFiles(row) ? [] : runCheckpoints(directory).map(({ step }) => step),
    alerts: [
      ...events.flatMap((event) => (event.type === "alert" ? [{ step: event.global_step, message: event.message }] : [])),
      ...(damage === null ? [] : [{ step: row.steps?.done ?? 0, message: damage }]),
    ],
    result,
    next: nextCommand(run),
    files: downloads(directory),
    figures: hasStates ? await figureNames(directory) : [],
    ...(hasStates && (await retrainingFacts(directory, config, manifest))),
  };
}

/** Of a run of engine portable, whether a browser can train it again. */
async function retrainingFacts(
  directory: string,
  config: NonNullable<ServedRun["config"]>,
  manifest: ReturnType<typeof readRunManifest>,
): Promise<Pick<ServedRunDocument, "retraining">> {
  const { isPortable, obstacleToRetraining } = await import("../report/retraining.js");
  return isPortable(config) ? { retraining: { steps: recordedStep(directory) ?? 0, obstacle: obstacleToRetraining({ config, manifest }) ?? null } } : {};
}

async function resultOf(
  { directory }: ServedRun,
  config: NonNullable<ServedRun["config"]>,
  manifest: ReturnType<typeof readRunManifest>,
): Promise<{ result: ServedRunDocument["result"]; damage: string | null }> {
  const size = statSync(join(directory, historyFile)).size;
  if (size > maxSummarized) return { result: null, damage: null };
  try {
    const { summarizeRun } = await import("../runner/summarize-run.js");
    return { result: await summarizeRun(directory, config, manifest), damage: null };
  } catch (error) {
    // A run that ended before its first snapshot has no result.
    if (error instanceof BhBridgeError) return { result: null, damage: error.code === "RUN_CORRUPT" ? error.message : null };
    throw error;
  }
}

/** The figures that the page can ask for. That of the verdict reads every snapshot at once, so it is omitted for a long history. */
async function figureNames(directory: string): Promise<string[]> {
  const { runFigureNames } = await import("../figures/run-figures.js");
  const isLong = statSync(join(directory, historyFile)).size > maxSummarized;
  return runFigureNames.filter((name) => !isLong || name !== "verdict");
}

/** A longer history is not read for its verdict. */
const maxSummarized = 2 ** 30;

function nextCommand({ row, directory, archive }: ServedRun): string | null {
  if (archive !== null) return null; // its folder is deleted with the server
  if (row.status === "interrupted" || row.status === "failed" || row.status === "stopped") return `bh-bridge resume ${shellQuote(directory)}`;
  return row.status === "completed" ? `bh-bridge analyze ${shellQuote(directory)}` : null;
}

const downloadable: readonly string[] = [
  runFiles.manifest,
  runFiles.config,
  runFiles.notes,
  runFiles.events,
  runFiles.analysis,
  runFiles.pythonLog,
  runFiles.deltas,
  runFiles.deltasIndex,
];

/** Files of a run that a browser may download. */
export function downloads(directory: string): ServedRunDocument["files"] {
  const names = new Set(readdirSync(directory));
  return [...downloadable.filter((name) => names.has(name)), ...historyFiles(directory)].flatMap((name) => {
    const path = join(directory, name);
    return refusalOf(() => requireRegular(path)) === undefined ? [{ name, bytes: statSync(path).size }] : [];
  });
}
