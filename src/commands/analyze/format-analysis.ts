import type { AnalysisDocument } from "../../analysis/analysis-document.js";
import { degeneracyExplanations } from "../../analysis/degeneracy.js";
import type { TextColors } from "../../config/text-colors.js";
import { stepOfState } from "../../formats/state-of-step.js";
import { count } from "../../text/count.js";
import { groupDigits } from "../../text/group-digits.js";
import { printable } from "../../text/printable.js";
import { wrap } from "../../text/wrap.js";
import { table } from "../terminal/table.js";

/** So many rows of a series are read at a glance. */
const maxSeriesRows = 12;
const maxPopulationsShown = 12;

/** A figure in five columns or so, whatever its size. */
function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 0.001 && size < 100_000 ? value.toPrecision(4) : value.toExponential(2);
}

function percent(value: number | undefined): string {
  return value === undefined ? "–" : `${(100 * value).toFixed(1)} %`;
}

/** What can happen to the classes of rows in a step, one of each and several. */
const eventNames = [
  ["fission", "fissions"],
  ["split", "splits"],
  ["merge", "merges"],
  ["join", "joins"],
  ["escape", "escapes"],
  ["capture", "captures"],
] as const;

/** At most `maxSeriesRows` numbers from `first` to `last`, evenly spread, both ends among them. */
function sample(first: number, last: number): number[] {
  const rows = Math.min(last - first + 1, maxSeriesRows);
  return Array.from({ length: rows }, (_, row) => Math.round(first + ((last - first) * row) / Math.max(rows - 1, 1)));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** How the parts of an analysis are told. */
interface Telling {
  /** The training step of a state. */
  stepOf(state: number): number;
  /** Columns of the terminal. */
  width: number | undefined;
}

type Part<Name extends keyof AnalysisDocument> = NonNullable<AnalysisDocument[Name]>;

/** Escapes of rows that became NaN are no sign of a black hole that parts: they are told apart. */
function causeOf(things: (typeof eventNames)[number][1], { nanEscapes = [] }: Part<"timeline">): string {
  return things === "escapes" && nanEscapes.length > 0 ? ` (${groupDigits(total(nanEscapes))} of rows that became NaN)` : "";
}

function timelineLines(timeline: Part<"timeline">, { stepOf, width }: Telling): string[] {
  const { unique, C, P, largest, firstStateWithTwoHoles } = timeline;
  const rows = sample(0, unique.length - 1).map((state) => [
    groupDigits(stepOf(state)),
    groupDigits(unique[state] ?? 0),
    groupDigits(C[state] ?? 0),
    groupDigits(P[state] ?? 0),
    groupDigits(largest[state] ?? 0),
  ]);
  const events = eventNames.map(([thing, things]) => `${count(total(timeline[things]), thing)}${causeOf(things, timeline)}`);
  const first = firstStateWithTwoHoles === null ? "never" : `first at step ${groupDigits(stepOf(firstStateWithTwoHoles))}`;
  return [table(["step", "unique", "C", "P", "largest"], rows, { width, indent: 2 }), `  ${events.join(", ")}`, `  Two black holes or more: ${first}`];
}

function censusLines({ unique, rows, C, P, populations }: Part<"finalCensus">): string[] {
  const shown = populations.slice(0, maxPopulationsShown).map(groupDigits).join(", ");
  const more = populations.length > maxPopulationsShown ? `, … (${groupDigits(populations.length)} in all)` : "";
  return [
    `  C = ${groupDigits(C)}, P = ${groupDigits(P)}, ${groupDigits(unique)} unique of ${groupDigits(rows)}${C > 0 ? `; populations ${shown}${more}` : ""}`,
  ];
}

function statisticsLines({ n, mean, median, gini, herfindahl, topShare }: Part<"statistics">): string[] {
  if (n === 0) return ["  There is no black hole to take statistics of."];
  return [
    `  mean ${figure(mean)}, median ${figure(median)}, Gini ${figure(gini)}, Herfindahl ${figure(herfindahl)}, largest ${percent(topShare["1"] ?? undefined)}`,
  ];
}

function motionLines({ weight, lattice, stillFraction, frozenFraction, bulk, thermal, participation }: Part<"motion">, { stepOf, width }: Telling): string[] {
  if (bulk.length === 0) return ["  There is no step."];
  const rows = sample(1, bulk.length).map((step) => [
    groupDigits(stepOf(step)),
    figure(weight.meanL2[step - 1]),
    ...(lattice ? [figure(lattice.meanL2[step - 1])] : []),
    percent(stillFraction[step - 1]),
    percent(frozenFraction[step - 1]),
    figure(bulk[step - 1]),
    figure(thermal[step - 1]),
    figure(participation[step - 1]),
  ]);
  const unit = lattice ? ", in weights and in lattice cells" : "";
  return [
    `  |ΔW| is the mean length of a token's step${unit}`,
    table(["step", "|ΔW|", ...(lattice ? ["cells"] : []), "still", "frozen", "bulk", "thermal", "particip."], rows, { width, indent: 2 }),
  ];
}

function lifecycleLines({ counts }: Part<"lifecycle">, { stepOf, width }: Telling): string[] {
  if (counts.early.length === 0) return ["  There is no step."];
  const phases = ["early", "midlife", "late", "frozen"] as const;
  const rows = sample(1, counts.early.length).map((step) => [groupDigits(stepOf(step)), ...phases.map((phase) => groupDigits(counts[phase][step - 1] ?? 0))]);
  return [table(["step", ...phases], rows, { width, indent: 2 })];
}

function topologyLines({ initial, final }: Part<"topology">, { width }: Telling): string[] {
  const graphs = [...(initial ? [["initial", initial] as const] : []), ...(final ? [["final", final] as const] : [])];
  const rows = graphs.map(([name, graph]) => [
    name,
    groupDigits(graph.nodes),
    groupDigits(graph.edges),
    groupDigits(graph.components),
    groupDigits(graph.largestComponent),
    groupDigits(graph.isolated),
    figure(graph.density),
  ]);
  const cells = initial?.k ?? final?.k;
  const head = ["state", "nodes", "edges", "components", "largest", "isolated", "density"];
  return rows.length === 0
    ? []
    : [`  Neighbours differ by at most ${count(cells ?? 0, "lattice cell")} in every component`, table(head, rows, { width, indent: 2 })];
}

function geometryLines(geometry: Part<"geometry">, { stepOf, width }: Telling): string[] {
  const { centroidNorm, maxRadius, meanRadius, rmsRadius, displacement, pathLength, initialSpread, finalSpread, pathSpread } = geometry;
  const rows = sample(0, centroidNorm.length - 1).map((state) => [
    groupDigits(stepOf(state)),
    figure(centroidNorm[state]),
    figure(maxRadius[state]),
    figure(meanRadius[state]),
    figure(rmsRadius[state]),
  ]);
  const directions = ([["at first", initialSpread] as const, ["at last", finalSpread] as const, ["of the path", pathSpread] as const] as const)
    .filter(([, spread]) => spread !== undefined)
    .map(([name, spread]) => `${figure(spread?.participationRatio)} ${name}`);
  return [
    table(["step", "centroid", "max radius", "mean radius", "rms radius"], rows, { width, indent: 2 }),
    `  Displacement ${figure(displacement.float64)} (${figure(displacement.bfloat16)} in the notebook's bfloat16 arithmetic)`,
    `  Length of the centroid's path ${figure(pathLength)}`,
    ...(directions.length > 0 ? [`  Directions of spread: ${directions.join(", ")}`] : []),
  ];
}

/** An analysis for people: a short table for each part. */
export function formatAnalysis(document: AnalysisDocument, color: TextColors, width?: number): string {
  const { source, dtype, states, tokens, dims, degenerate, finalCensus, notes } = document;
  const telling: Telling = { stepOf: (state) => stepOfState(document, state), width };
  const section = (title: string, lines: readonly string[] | undefined | false): string[] => (lines ? ["", color.bold(title), ...lines] : []);
  const lines = [
    `${color.bold(printable(source))}: ${dtype}, ${count(states, "state")} of ${groupDigits(tokens)} × ${groupDigits(dims)}`,
    ...degenerate.map((name) => color.yellow(`Degenerate (${name}): ${degeneracyExplanations[name]}. What follows says nothing about black holes.`)),
    ...section("Timeline", document.timeline && timelineLines(document.timeline, telling)),
    ...section("Last state", censusLines(finalCensus)),
    ...section("Statistics of its populations", document.statistics && statisticsLines(document.statistics)),
    ...section("Motion", document.motion && motionLines(document.motion, telling)),
    ...section("Lifecycle (tokens in each phase)", document.lifecycle && lifecycleLines(document.lifecycle, telling)),
    ...section("Topology", document.topology && topologyLines(document.topology, telling)),
    ...section("Geometry", document.geometry && geometryLines(document.geometry, telling)),
    ...section("Notes", notes.length > 0 && notes.map((note) => `  · ${note}`)),
  ];
  return wrap(lines.join("\n"), width);
}
