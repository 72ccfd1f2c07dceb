import type { ScanOptions } from "../../analysis/scan/observation.js";
import type { ExperimentDocument } from "../../sweep/experiment/experiment-summary.js";
import { type DefaultMeasure, type FigureName, parseMeasure } from "../../sweep/experiment/measures.js";
import { moments } from "../../sweep/statistics/moments.js";
import { figure as shown } from "../../text/format.js";
import type { Axis, Figure, Mark, Panel, Source } from "../figure.js";
import { axis, countAxis, overMoves, overStates, type StepSeries, seriesOf, stepAxis } from "../panels.js";
import { loss } from "../runs/loss.js";
import { isAbsent, RunSource } from "../runs/run-figure.js";

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
  readonly source: Source;
  readonly series: { readonly [Name in Quantity]?: StepSeries };
}

async function readArmRun(arm: string, run: RunSource): Promise<ArmRun> {
  const analysis = await run.analysis();
  const losses = await loss.read(run);
  const training = isAbsent(losses) ? undefined : losses.training;
  const { timeline, geometry, motion } = analysis;
  return {
    arm,
    source: { name: run.manifest.name, hash: run.manifest.config_hash },
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

const most = 6;
const wanted: readonly DefaultMeasure[] = ["displacement", "finalLoss", "P", "unique", "stepsToFreeze", "deadC", "deadUnique", "C", "evalLoss"];

/** The measures of an experiment by arm: seeds, pairs of seeds, and means. */
export function measuresByArm(document: ExperimentDocument, sources: readonly Source[]): Figure {
  const control = document.control[0]?.arm ?? "control";
  const treatments = [...new Set(document.measures.map(({ arm }) => arm))];
  const arms = [control, ...treatments];
  const names = [...new Set([...document.measures.filter(({ decides }) => decides).map(({ measure }) => measure), ...wanted])];
  const told = names
    .filter((name) => name !== "score" && document.measures.some(({ measure, control: { n }, treatment }) => measure === name && n + treatment.n > 0))
    .slice(0, most);
  const n = (arm: string) => Math.max(0, ...document.measures.map((each) => (each.arm === arm ? each.treatment.n : arm === control ? each.control.n : 0)));
  return {
    schema: "bh-bridge/figure@1",
    name: "measures",
    title: "Measures by arm",
    caption: `Small dots are seeds, lines connect runs with the same seed, and large dots are means. Below each panel: mean difference from ${control}, with its two-sided p-value.`,
    sources,
    series: arms.map((arm, index) => seriesOf(`${arm} (n = ${n(arm)})`, index)),
    panels: told.map((measure) => panelOf(document, measure, arms)),
    columns: 3,
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
  const [first] = comparisons;
  const difference =
    first && comparisons.length === 1 && first.difference.mean !== null
      ? `difference ${first.difference.mean > 0 ? "+" : ""}${shown(first.difference.mean)}, p ${shown(first.p)}`
      : "";
  return {
    title: measure,
    x: axis(difference, null, { domain: [-0.5, arms.length - 0.5], ticks: arms.map((arm, at) => ({ at, text: arm })) }),
    y: valueAxis(measure),
    equal: false,
    marks,
  };
}

const counted = { C: "black holes", P: "tokens", unique: "rows" } as const;

/** The axis of a measure, with its unit. */
function valueAxis(name: string): Axis {
  const measure = parseMeasure(name);
  if (measure.from === "census") return axis(counted[measure.count]);
  if (measure.from !== "run") return axis("value");
  const axes: Readonly<Record<FigureName, Axis>> = {
    displacement: axis("distance", "weights"),
    finalLoss: axis("loss", "nats per token"),
    evalLoss: axis("loss", "nats per token"),
    stepsToFreeze: axis("steps"),
  };
  return axes[measure.figure];
}

/** The figures of an experiment: its arms over the steps, and its measures by arm. @throws {BhBridgeError} errors of reading a run; `ABORTED`. */
export async function experimentFigures(document: ExperimentDocument, scan: ScanOptions = {}): Promise<Figure[]> {
  const runs: ArmRun[] = [];
  for (const { arm, run } of [...document.control, ...document.treatment]) {
    using source = new RunSource(run, scan);
    runs.push(await readArmRun(arm, source));
  }
  if (runs.length === 0) return [];
  const arms = [...new Set(runs.map(({ arm }) => arm))];
  return [
    armsOverSteps(arms, runs),
    measuresByArm(
      document,
      runs.map(({ source }) => source),
    ),
  ];
}
