import type { History } from "../formats/history.js";
import { readState } from "../formats/read-state.js";
import { stepOfState } from "../formats/state-of-step.js";
import type { AnalysisDocument } from "./analysis-document.js";
import { type AnalysisName, analysisNames } from "./analysis-names.js";
import { type AnalysisNotes, analysisNotes } from "./analysis-notes.js";
import { type Census, census } from "./census.js";
import { defaultSpreadDims, geometryOf } from "./geometry.js";
import { jsonFigures } from "./json-figures.js";
import { lifecycleOf } from "./lifecycle.js";
import { motionOf } from "./motion.js";
import { nanEscapes } from "./nan-escapes.js";
import { populationStatistics } from "./population-statistics.js";
import { runHere } from "./scan/run-in-parts.js";
import { scanHistory } from "./scan/scan-history.js";
import type { ScanOptions } from "./scan/scan-options.js";
import type { RangeScan } from "./scan/scan-range.js";
import { soundnessOf } from "./soundness.js";
import { timelineOf } from "./timeline.js";
import { type Topology, topology } from "./topology.js";

/** Per-token arrays of larger vocabularies would make a document that no reader opens (GPT-2's 50,257 tokens: 2 MB). */
export const defaultMaxTokens = 10_000;
/** The pairs of 10,000 nodes of 64 dimensions take about a second; those of 100,000 would take minutes. */
export const defaultMaxNodes = 10_000;
/** Measuring holds three decoded copies of a state in memory: at this many numbers, 400 MB. */
const maxMeasuredNumbers = 2 ** 24;

export interface AnalyzeOptions extends ScanOptions {
  /** The analyses wanted; all when absent. */
  readonly only?: readonly AnalysisName[] | undefined;
  /** Cells that neighbours in the topology differ by at most; by default 1. */
  readonly k?: number | undefined;
  /** Per-token arrays are left out when they have more entries; by default 10,000. */
  readonly maxTokens?: number | undefined;
  /** A topology is left out when it has more nodes; by default 10,000. */
  readonly maxNodes?: number | undefined;
  /** Spreads are left out when there are more dimensions; by default 768. */
  readonly spreadDims?: number | undefined;
}

/** What is done for one document: the wanted analyses that its history admits, and the limits. */
interface Plan {
  readonly wants: (name: AnalysisName) => boolean;
  readonly maxTokens: number;
  readonly maxNodes: number;
  readonly hasSpread: boolean;
  readonly notes: AnalysisNotes;
}

function planAnalyses(history: History, options: AnalyzeOptions): Plan {
  const wanted = new Set<AnalysisName>(options.only ?? analysisNames);
  const notes = analysisNotes();
  const { steps, rowTokens } = history;
  if (steps) notes.otherSteps();
  if (rowTokens.ids) notes.chosenTokens(rowTokens.ids.length);
  if (history.dtype !== "BF16") notes.noLattice(history.dtype, wanted);
  const numbers = history.tokens * history.dims;
  if (numbers > maxMeasuredNumbers) notes.statesTooLarge(numbers, maxMeasuredNumbers, wanted);
  const spreadDims = options.spreadDims ?? defaultSpreadDims;
  if (wanted.has("geometry") && history.dims > spreadDims) notes.tooManyDims(history.dims, spreadDims);
  return {
    wants: (name) => wanted.has(name),
    maxTokens: options.maxTokens ?? defaultMaxTokens,
    maxNodes: options.maxNodes ?? defaultMaxNodes,
    hasSpread: history.dims <= spreadDims,
    notes,
  };
}

/** `arrays`, unless they have more than `maxTokens` entries, which is noted. */
function perToken<Arrays extends object>(arrays: Arrays, entries: number, where: string, { maxTokens, notes }: Plan): Partial<Arrays> {
  if (entries <= maxTokens) return arrays;
  notes.arraysLeftOut(
    Object.keys(arrays).map((name) => `${where}${name}`),
    entries,
    maxTokens,
  );
  return {};
}

function censusPart({ members, texts, ...counts }: Census, plan: Plan): AnalysisDocument["finalCensus"] {
  return { ...counts, ...perToken({ members, ...(texts && { texts }) }, counts.P, "finalCensus.", plan) };
}

async function timelinePart(scan: RangeScan, history: History, plan: Plan, { signal }: AnalyzeOptions): Promise<Pick<AnalysisDocument, "timeline">> {
  if (!plan.wants("timeline")) return {};
  const timeline = timelineOf(scan.counts);
  if (!scan.sightings.nonfiniteTokens.includes(1)) return { timeline };
  const counts = await runHere(nanEscapes(history, timeline.escapes), timeline.escapes.length, { signal });
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return { timeline };
  plan.notes.nanEscapes(
    counts.reduce((sum, count) => sum + count, 0),
    stepOfState(history, first + 1),
  );
  return { timeline: { ...timeline, nanEscapes: counts } };
}

function motionPart({ motion }: RangeScan, history: History, plan: Plan): Pick<AnalysisDocument, "motion"> {
  if (!plan.wants("motion") || !motion) return {};
  const { lastMotionStep, stillFraction, frozenFraction, ...series } = motionOf(motion, history.dtype === "BF16");
  const lastSteps = lastMotionStep && perToken({ lastMotionStep }, history.tokens, "motion.", plan);
  return { motion: { ...jsonFigures(series), ...lastSteps, stillFraction, frozenFraction } };
}

function lifecyclePart({ motion }: RangeScan, history: History, plan: Plan): Pick<AnalysisDocument, "lifecycle"> {
  if (!plan.wants("lifecycle") || !motion) return {};
  const { counts, ...ends } = lifecycleOf(motion, history.states - 1);
  return { lifecycle: { ...perToken(ends, history.tokens, "lifecycle.", plan), counts } };
}

function graphPart(graph: Topology, where: string, plan: Plan) {
  const { degrees, nearest, firstTokens, ...counts } = graph;
  return { ...counts, ...perToken({ degrees, nearest, firstTokens }, graph.nodes, where, plan) };
}

async function topologyPart(scan: RangeScan, history: History, plan: Plan, options: AnalyzeOptions): Promise<Pick<AnalysisDocument, "topology">> {
  if (!plan.wants("topology")) return {};
  const graphs: NonNullable<AnalysisDocument["topology"]> = {};
  const { unique } = timelineOf(scan.counts);
  for (const [name, state] of [["initial", 0] as const, ["final", history.states - 1] as const]) {
    const nodes = unique[state] ?? 0;
    if (nodes > plan.maxNodes) plan.notes.tooManyNodes(`topology.${name}`, nodes, plan.maxNodes);
    else graphs[name] = graphPart(await topology(readState(history, state), { k: options.k, signal: options.signal }), `topology.${name}.`, plan);
  }
  return { topology: graphs };
}

async function geometryPart({ geometry }: RangeScan, history: History, plan: Plan): Promise<Pick<AnalysisDocument, "geometry">> {
  if (!geometry) return {};
  const final = readState(history, history.states - 1);
  const { initialSpread, finalSpread, pathSpread, ...figures } = await geometryOf(geometry, readState(history, 0), final, plan.hasSpread);
  return { geometry: { ...jsonFigures(figures), ...(plan.hasSpread && { initialSpread, finalSpread, pathSpread }) } };
}

/**
 * Analyse a history: what `analyze --json` prints. The history is read once, whatever is wanted, and some of its states a second time.
 *
 * @throws {BhBridgeError} `FORMAT_UNSUPPORTED` for an empty history; `USAGE` when `k` is not a whole number; `ABORTED`; what reading the history throws.
 */
export async function analyze(history: History, options: AnalyzeOptions = {}): Promise<AnalysisDocument> {
  const plan = planAnalyses(history, options);
  const { source, states, tokens, dims, dtype, steps, rowTokens } = history;
  const parts = { motion: plan.wants("motion") || plan.wants("lifecycle"), geometry: plan.wants("geometry"), pathSpread: plan.hasSpread };
  const scan: RangeScan = await scanHistory(history, parts, options);
  const finalCensus = census(readState(history, states - 1));
  const { degenerate, nonfiniteTokens } = soundnessOf(scan.sightings, rowTokens);
  if (nonfiniteTokens.length > 0) plan.notes.nonfinite(nonfiniteTokens.length);
  return {
    schema: "bh-bridge/analysis@1",
    source,
    states,
    tokens,
    dims,
    dtype,
    ...(steps && { steps: [...steps] }),
    ...(rowTokens.ids && { tokenIds: [...rowTokens.ids] }),
    degenerate,
    ...perToken({ nonfiniteTokens }, nonfiniteTokens.length, "", plan),
    finalCensus: censusPart(finalCensus, plan),
    ...(await timelinePart(scan, history, plan, options)),
    ...(plan.wants("statistics") && { statistics: populationStatistics(finalCensus.populations) }),
    ...motionPart(scan, history, plan),
    ...lifecyclePart(scan, history, plan),
    ...(await topologyPart(scan, history, plan, options)),
    ...(await geometryPart(scan, history, plan)),
    notes: plan.notes.lines,
  };
}
