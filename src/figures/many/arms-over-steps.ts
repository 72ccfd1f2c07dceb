import { moments } from "../../sweep/statistics/moments.js";
import { axis, countAxis, stepAxis } from "../axes.js";
import type { Axis, Figure, Mark, Source } from "../figure.js";
import { loss } from "../runs/loss.js";
import { isAbsent } from "../runs/run-figure.js";
import type { RunSource } from "../runs/run-source.js";
import { overMoves, overStates, type StepSeries } from "../state-series.js";
import { seriesOf } from "../styled-series.js";

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

/** What one run of an arm shows over its steps. */
export interface ArmRun {
  readonly arm: string;
  readonly source: Source;
  readonly series: { readonly [Name in Quantity]?: StepSeries };
}

/** What a run shows of an experiment's figure over the steps. */
export async function readArmRun(arm: string, run: RunSource): Promise<ArmRun> {
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

/** Control against treatment over the steps: the line of every seed, mean and standard deviation of every arm. @param arms in order, the control first */
export function armsOverSteps(arms: readonly string[], runs: readonly ArmRun[]): Figure {
  const of = (arm: string) => runs.filter((run) => run.arm === arm);
  const shown = arms.filter((arm) => of(arm).length > 0);
  const few = shown.filter((arm) => of(arm).length < 3);
  const note = few.length === 0 ? "" : ` Fewer than three seeds: ${few.join(", ")}; a spread over so few says little.`;
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
    caption: `Thin: every seed. Thick: the mean over the seeds of an arm; band: one sample standard deviation around it.${note}`,
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
