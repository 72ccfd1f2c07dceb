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
import { radius } from "./runs/radius.js";
import { rankCurve } from "./runs/rank-curve.js";
import { type Absent, isAbsent, type RunFigure } from "./runs/run-figure.js";
import type { RunSource } from "./runs/run-source.js";
import { shares } from "./runs/shares.js";
import { sky } from "./runs/sky.js";

/** The figures of runs, in the order of a report. */
export const runFigureNames = [
  "loss",
  "radius",
  "displacement",
  "black-holes",
  "distributions",
  "rank-curve",
  "populations",
  "optimizer",
  "adamw",
  "dead-mass",
  "shares",
  "phases",
  "kinematics",
  "cloud",
  "freezing",
  "sky",
  "topology",
] as const;

export type RunFigureName = (typeof runFigureNames)[number];

const kinds: { readonly [Name in RunFigureName]: RunFigure<Name> } = {
  loss,
  radius,
  displacement,
  "black-holes": blackHoles,
  distributions,
  "rank-curve": rankCurve,
  populations,
  optimizer,
  adamw: adamwFigure,
  "dead-mass": deadMass,
  shares,
  phases: phaseDurations,
  kinematics,
  cloud,
  freezing,
  sky,
  topology: neighbours,
};

/** A figure of a report, or why there is none. */
export type FigureOrAbsent = { readonly figure: Figure } | { readonly name: string; readonly run: string; readonly absent: string };

/** A run by the name that tells it from the others. */
export interface LabelledRun {
  readonly label: string;
  readonly run: RunSource;
}

/** The figures of a kind: one of all runs where it can show several, else one of each. */
export async function figuresOfRuns(name: RunFigureName, runs: readonly LabelledRun[]): Promise<FigureOrAbsent[]> {
  if (!Object.hasOwn(kinds, name)) throw new BhBridgeError("USAGE", `there is no figure "${name}"; there are ${runFigureNames.join(", ")}`);
  const kind: RunFigure = kinds[name];
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
