import type { ScanOptions } from "../../analysis/scan/observation.js";
import { type ExperimentDocument, seedsTrained } from "../../sweep/experiment/experiment-summary.js";
import { shownP, signed } from "../../sweep/experiment/experiment-verdict.js";
import type { DefaultMeasure } from "../../sweep/experiment/measures.js";
import { moments } from "../../sweep/statistics/moments.js";
import type { Axis, Figure, Mark, Panel, Source } from "../figure.js";
import { axis, countAxis, overMoves, overStates, type StepSeries, seriesOf, stepAxis } from "../panels.js";
import { isAbsent, RunSource } from "../runs/run-figure.js";
import { loss } from "../runs/training.js";
import { areaLegend, areaSeries, type Verdict, verdictOf, verdictPanel } from "../runs/verdict.js";
import { evidenceFigure } from "./evidence.js";
import { forest, valueAxis } from "./forest.js";

const quantities = ["loss", "P", "unique", "radius", "motion", "frozen"] as const;
type Quantity = (typeof quantities)[number];

const panels: Readonly<Record<Quantity, { readonly title: string; readonly y: Axis; readonly x?: Axis; readonly curve: "straight" | "step" }>> = {
  loss: { title: "Loss", y: axis("loss", "nats per token"), curve: "straight" },
  P: { title: "Tokens in black holes (P)", y: countAxis("tokens"), x: stepAxis({ scale: "symlog" }), curve: "step" },
  unique: { title: "Distinct rows", y: countAxis("rows"), x: stepAxis({ scale: "symlog" }), curve: "step" },
  radius: { title: "Mean radius", y: axis("distance from the centroid", "weights", { zero: true }), curve: "straight" },
  motion: { title: "ΔW of a step, mean over tokens", y: axis("‖ΔW‖₂", "weights", { scale: "log" }), curve: "straight" },
  frozen: { title: "Frozen tokens", y: axis("share of the tokens", null, { domain: [0, 1] }), curve: "straight" },
};

/** The series of one run of an arm. */
export interface ArmRun {
  readonly arm: string;
  readonly seed: number;
  readonly source: Source;
  /** Absent before its first step. */
  readonly verdict?: Verdict;
  readonly series: { readonly [Name in Quantity]?: StepSeries };
}

function sourceOf({ manifest }: RunSource): Source {
  return { name: manifest.name, hash: manifest.config_hash };
}

/** The verdict of a run that has taken a step. */
async function steppedVerdict(run: RunSource): Promise<{ verdict?: Verdict }> {
  const verdict = await verdictOf(run);
  return verdict.steps.length > 1 ? { verdict } : {};
}

async function readArmRun(arm: string, seed: number, run: RunSource): Promise<ArmRun> {
  const analysis = await run.analysis();
  const losses = await loss.read(run);
  const training = isAbsent(losses) ? undefined : losses.training;
  const { timeline, geometry, motion } = analysis;
  return {
    arm,
    seed,
    ...(await steppedVerdict(run)),
    source: sourceOf(run),
    series: {
      ...(training && { loss: training }),
      ...(timeline && { P: overStates(analysis, timeline.P), unique: overStates(analysis, timeline.unique) }),
      ...(geometry && { radius: overStates(analysis, geometry.meanRadius) }),
      ...(motion && { motion: overMoves(analysis, motion.weight.meanL2), frozen: overMoves(analysis, motion.frozenFraction) }),
    },
  };
}

/** Mean and spread over runs, at the steps that all of them have. */
export function meanAndSpread(runs: readonly StepSeries[]): { steps: number[]; mean: (number | null)[]; low: (number | null)[]; high: (number | null)[] } {
  const bySteps = runs.map(({ steps, values }) => new Map(steps.map((step, at) => [step, values[at] ?? null])));
  const steps = (runs[0]?.steps ?? []).filter((step) => bySteps.every((values) => values.has(step)));
  const found = steps.map((step) => {
    const values = bySteps.map((each) => each.get(step) ?? null);
    return values.includes(null) ? { mean: null, sd: null } : moments(values.filter((value) => value !== null));
  });
  return {
    steps,
    mean: found.map(({ mean }) => mean),
    low: found.map(({ mean, sd }) => (mean === null || sd === null ? null : mean - sd)),
    high: found.map(({ mean, sd }) => (mean === null || sd === null ? null : mean + sd)),
  };
}

/** The arms over the steps: the lines of all seeds, with the mean and standard deviation of each arm. @param arms in order, the control first */
export function armsOverSteps(arms: readonly string[], runs: readonly ArmRun[]): Figure {
  const of = (arm: string) => runs.filter((run) => run.arm === arm);
  const shown = arms.filter((arm) => of(arm).length > 0);
  const few = shown.filter((arm) => of(arm).length < 3);
  const note = few.length === 0 ? "" : ` Fewer than three seeds: ${few.join(", ")}; a spread over so few seeds is not reliable.`;
  const marksOf = (quantity: Quantity): Mark[] => {
    const { curve } = panels[quantity];
    const told = shown.map((arm) => of(arm).flatMap(({ series }) => series[quantity] ?? []));
    const seeds = told.flatMap((lines, series) => lines.map(({ steps, values }): Mark => ({ mark: "line", series, x: steps, y: values, curve, thin: true })));
    const means = told.flatMap((lines, series): Mark[] => {
      if (lines.length === 0) return [];
      const { steps, mean, low, high } = meanAndSpread(lines);
      const band: Mark[] = lines.length > 1 ? [{ mark: "band", series, x: steps, low, high, curve }] : [];
      return [...band, { mark: "line", series, x: steps, y: mean, curve }];
    });
    return [...seeds, ...means];
  };
  const has = (quantity: Quantity) => runs.some(({ series }) => series[quantity] !== undefined);
  return {
    schema: "bh-bridge/figure@1",
    name: "arms",
    title: "Arms over the steps",
    caption: `Thin lines: seeds. Thick lines: mean over the seeds of an arm. Bands: one sample standard deviation around it.${note}`,
    sources: runs.map(({ source }) => source),
    series: shown.map((arm, index) => seriesOf(`${arm} (n = ${of(arm).length})`, index)),
    panels: quantities.filter(has).map((quantity) => ({
      title: panels[quantity].title,
      x: panels[quantity].x ?? stepAxis(),
      y: panels[quantity].y,
      equal: false,
      marks: marksOf(quantity),
    })),
    columns: 2,
  };
}

const most = 7;
const wanted: readonly DefaultMeasure[] = ["score", "displacement", "finalLoss", "P", "unique", "stepsToFreeze", "deadC", "deadUnique", "C", "evalLoss"];

/** The measures of an experiment by arm: seeds, pairs of seeds, and means. */
export function measuresByArm(document: ExperimentDocument, sources: readonly Source[]): Figure {
  const control = document.control[0]?.arm ?? "control";
  const treatments = [...new Set(document.measures.map(({ arm }) => arm))];
  const arms = [control, ...treatments];
  const names = [...new Set([...document.measures.filter(({ decides }) => decides).map(({ measure }) => measure), ...wanted])];
  const told = names
    .filter((name) => document.measures.some(({ measure, control: { n }, treatment }) => measure === name && n + treatment.n > 0))
    .slice(0, most);
  const n = (arm: string) => Math.max(0, ...document.measures.map((each) => (each.arm === arm ? each.treatment.n : arm === control ? each.control.n : 0)));
  return {
    schema: "bh-bridge/figure@1",
    name: "measures",
    title: "Measures by arm",
    caption: `Small dots are seeds, lines connect runs with the same seed, and large dots are means. Below each panel: mean difference of each arm from ${control}, with its two-sided p-value.`,
    sources,
    series: arms.map((arm, index) => seriesOf(`${arm} (n = ${n(arm)})`, index)),
    panels: told.map((measure) => panelOf(document, measure, arms)),
    columns: arms.length < 3 ? 3 : 2,
  };
}

function panelOf(document: ExperimentDocument, measure: string, arms: readonly string[]): Panel {
  const comparisons = document.measures.filter((each) => each.measure === measure);
  const values = arms.map(
    (arm, index) => (index === 0 ? comparisons[0]?.control.values : comparisons.find((each) => each.arm === arm)?.treatment.values) ?? [],
  );
  const means = arms.map((arm, index) => (index === 0 ? comparisons[0]?.control.mean : comparisons.find((each) => each.arm === arm)?.treatment.mean) ?? null);
  const links = values
    .slice(1)
    .flatMap((own, index) =>
      own.flatMap((value, seed) => (value === null || values[0]?.[seed] == null ? [] : [{ from: values[0][seed], to: value, at: index + 1 }])),
    );
  const marks: Mark[] = [
    { mark: "links", series: 0, x1: links.map(() => 0), y1: links.map(({ from }) => from), x2: links.map(({ at }) => at), y2: links.map(({ to }) => to) },
    ...values.map((own, series): Mark => {
      const known = own.filter((value) => value !== null);
      return {
        mark: "dots",
        series,
        x: known.map(() => series),
        y: known,
        names: own.flatMap((value, seed) => (value === null ? [] : [`seed ${document.seeds[seed]}: ${value}`])),
      };
    }),
    ...means.flatMap((mean, series): Mark[] =>
      mean === null ? [] : [{ mark: "dots", series, x: [series + 0.12], y: [mean], radius: [6], names: [`mean ${mean}`] }],
    ),
  ];
  return {
    title: measure,
    x: axis(differencesBelow(comparisons), null, { domain: [-0.5, arms.length - 0.5], ticks: arms.map((arm, at) => ({ at, text: arm })) }),
    y: valueAxis(measure),
    equal: false,
    marks,
  };
}

/** `difference +1.5, p 0.25`; of several arms each with its name. */
function differencesBelow(comparisons: ExperimentDocument["measures"]): string {
  const told = comparisons.flatMap(({ arm, difference: { mean }, p }) => (mean === null ? [] : [{ arm, text: `${signed(mean)}, p ${shownP(p)}` }]));
  if (comparisons.length === 1) return told.map(({ text }) => `difference ${text}`).join("");
  return told.length === 0 ? "" : `difference: ${told.map(({ arm, text }) => `${arm} ${text}`).join("; ")}`;
}

/** Maximum number of seeds, and of panels beside each other. */
const mostSeeds = 8;
const mostBeside = 4;

/** A run of an experiment with what its small multiple shows. */
type VerdictCell = Pick<ArmRun, "arm" | "seed" | "source" | "verdict">;

/** Where the tokens of every run are, with the arms of a seed beside each other; undefined before any run has taken a step. */
function verdictsByArm(seeds: readonly number[], runs: readonly VerdictCell[]): Figure | undefined {
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  const armsOf = (seed: number) => arms.filter((arm) => runs.some((run) => run.arm === arm && run.seed === seed && run.verdict)).length;
  const trained = seeds.filter((seed) => armsOf(seed) > 0).sort((a, b) => armsOf(b) - armsOf(a)); // complete seeds first, so that an arm has a column
  const shown = trained.slice(0, mostSeeds);
  const cells = shown.flatMap((seed) => arms.flatMap((arm) => runs.find((run) => run.arm === arm && run.seed === seed && run.verdict) ?? []));
  if (cells.length === 0) return undefined;
  const parted = (arm: string) => {
    const own = runs.flatMap(({ arm: of, verdict }) => (of === arm && verdict ? [verdict] : []));
    return `${arm} in ${own.filter(({ dead }) => (dead.partings.at(-1) ?? 0) > 0).length} of ${own.length}`;
  };
  const left = seeds.length > shown.length ? ` Seeds ${shown.join(", ")} of ${seeds.length}.` : "";
  return {
    schema: "bh-bridge/figure@1",
    name: "verdicts",
    title: `Dead tokens have parted at the end: ${arms.map(parted).join(", ")}`,
    caption: `${areaLegend} The dots mark the first and the last live token to leave.${left}`,
    sources: cells.map(({ source }) => source),
    series: areaSeries,
    panels: cells.map(({ arm, seed, verdict }) => ({ ...verdictPanel(`${arm}, seed ${seed}`, verdict as Verdict, "dots"), height: 110 })),
    columns: arms.length * Math.max(1, Math.floor(mostBeside / arms.length)),
  };
}

/** The figures of an experiment that are drawn from a few numbers of each run. */
export const experimentFigureNames = ["forest", "evidence", "verdicts", "forest-others"] as const;

/** One figure of an experiment; undefined if its runs have nothing for it. @throws {BhBridgeError} errors of reading a run; `ABORTED`. */
export async function experimentFigure(
  document: ExperimentDocument,
  name: (typeof experimentFigureNames)[number],
  scan: ScanOptions = {},
): Promise<Figure | undefined> {
  const cells: VerdictCell[] = [];
  for (const { arm, seed, run } of [...document.control, ...document.treatment]) {
    using opened = new RunSource(run, scan);
    const source = sourceOf(opened);
    cells.push({ arm, seed, source, ...(name === "verdicts" && (await steppedVerdict(opened))) });
  }
  if (name === "verdicts") return verdictsByArm(seedsTrained(document), cells);
  const sources = cells.map(({ source }) => source);
  if (name === "evidence") return evidenceFigure(document, sources);
  return forest(document, sources, name === "forest" ? "deciding" : "others");
}

/**
 * The figures of an experiment, in the order of a report: the forest of the deciding measures, the evidence of a sequential one, the tokens of every run, the arms over the steps, the measures by
 * arm, and the forest of the other measures.
 * @throws {BhBridgeError} errors of reading a run; `ABORTED`.
 */
export async function experimentFigures(document: ExperimentDocument, scan: ScanOptions = {}): Promise<Figure[]> {
  const runs: ArmRun[] = [];
  for (const { arm, seed, run } of [...document.control, ...document.treatment]) {
    using source = new RunSource(run, scan);
    runs.push(await readArmRun(arm, seed, source));
  }
  if (runs.length === 0) return [];
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  const sources = runs.map(({ source }) => source);
  return [
    ...[forest(document, sources, "deciding")].filter((figure) => figure !== undefined),
    ...[evidenceFigure(document, sources)].filter((figure) => figure !== undefined),
    ...[verdictsByArm(seedsTrained(document), runs)].filter((figure) => figure !== undefined),
    armsOverSteps(arms, runs),
    measuresByArm(document, sources),
    ...[forest(document, sources, "others")].filter((figure) => figure !== undefined),
  ];
}
