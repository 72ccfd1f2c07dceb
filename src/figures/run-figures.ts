import type { SeriesFigureName } from "../analysis/analyses.js";
import { BhBridgeError } from "../errors.js";
import type { Figure, Source } from "./figure.js";
import { adamwFigure } from "./runs/adamw.js";
import { blackHoles } from "./runs/black-holes.js";
import { cloud } from "./runs/cloud.js";
import { deadMass } from "./runs/dead-mass.js";
import { displacement } from "./runs/displacement.js";
import { distributions } from "./runs/distributions.js";
import { freezing } from "./runs/freezing.js";
import { kinematics } from "./runs/kinematics.js";
import { loss } from "./runs/loss.js";
import { neighbours } from "./runs/neighbours.js";
import { optimizer } from "./runs/optimizer.js";
import { phaseDurations } from "./runs/phases.js";
import { populations } from "./runs/populations.js";
import { rankCurve } from "./runs/rank-curve.js";
import { type Absent, isAbsent, type RunFigure } from "./runs/run-figure.js";
import type { RunSource } from "./runs/run-source.js";
import { seriesFigures } from "./runs/series-figures.js";
import { shares } from "./runs/shares.js";
import { sky } from "./runs/sky.js";

/** Figures of any data, by their names alone. */
function listed<Name extends string>(...figures: readonly RunFigure<Name>[]): readonly RunFigure<Name>[] {
  return figures;
}

/** In the order of a report. */
const ordered = listed(
  loss,
  seriesFigures.radius,
  displacement,
  blackHoles,
  distributions,
  rankCurve,
  populations,
  optimizer,
  adamwFigure,
  deadMass,
  shares,
  phaseDurations,
  kinematics,
  cloud,
  freezing,
  sky,
  neighbours,
);

export type RunFigureName = (typeof ordered)[number]["name"] | SeriesFigureName;

const all: readonly RunFigure<RunFigureName>[] = [...new Set<RunFigure<RunFigureName>>([...ordered, ...Object.values(seriesFigures)])];

/** The figures of runs, in the order of a report: other figures that analyses declare come last. */
export const runFigureNames: readonly RunFigureName[] = all.map(({ name }) => name);

/** A figure of a report, or why there is none. */
export type FigureOrAbsent = { readonly figure: Figure } | { readonly name: string; readonly run: string; readonly absent: string };

/** A run by the name that tells it from the others. */
export interface LabelledRun {
  readonly label: string;
  readonly run: RunSource;
}

/** The figures of a kind: one of all runs where it can show several, else one of each. */
export async function figuresOfRuns(name: RunFigureName, runs: readonly LabelledRun[]): Promise<FigureOrAbsent[]> {
  const kind = all.find((each) => each.name === name);
  if (!kind) throw new BhBridgeError("USAGE", `there is no figure "${name}"; there are ${runFigureNames.join(", ")}`);
  const shown: { label: string; source: Source; data: unknown }[] = [];
  const missing: FigureOrAbsent[] = [];
  for (const { label, run } of runs) {
    const data: unknown | Absent = await kind.read(run);
    if (isAbsent(data)) missing.push({ name, run: label, absent: data.absent });
    else shown.push({ label, source: { name: run.manifest.name, hash: run.manifest.config_hash }, data });
  }
  const groups = kind.overlays ? (shown.length > 0 ? [shown] : []) : shown.map((one) => [one]);
  const titled = (figure: Figure, [only, ...others]: typeof shown): Figure =>
    runs.length === 1 || others.length > 0 || !only ? figure : { ...figure, title: `${figure.title}: ${only.label}` };
  return [...groups.map((group) => ({ figure: titled(kind.describe(group), group) })), ...missing];
}
