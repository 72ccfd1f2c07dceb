import { BhBridgeError } from "../errors.js";
import type { Figure, Source } from "./figure.js";
import { blackHoles } from "./runs/black-holes.js";
import { loss } from "./runs/loss.js";
import { populations } from "./runs/populations.js";
import { type Absent, isAbsent, type RunFigure } from "./runs/run-figure.js";
import type { RunSource } from "./runs/run-source.js";

/** The figures of runs, in the order of a report. */
export const runFigureNames = ["loss", "black-holes", "populations"] as const;

export type RunFigureName = (typeof runFigureNames)[number];

const kinds: { readonly [Name in RunFigureName]: RunFigure<Name> } = { loss, "black-holes": blackHoles, populations };

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
  return [...groups.map((group) => ({ figure: kind.describe(group) })), ...missing];
}
