import { isDeepStrictEqual } from "node:util";
import { printable } from "../text/printable.js";
import type { SweepTrial } from "./sweep-document.js";

/** What a trial is labelled by. */
type LabelledTrial = { readonly arm?: string | undefined; readonly set: SweepTrial["set"] };

/** `rmsnorm-seed-42`: a run of an experiment, by its arm and seed. */
export function armLabel(arm: string, { seed }: SweepTrial["set"]): string {
  return seed === undefined ? arm : `${arm}-seed-${JSON.stringify(seed)}`;
}

/** What a trial sets, in one line, each field by its full path: `init.sigma=1e-5 seed=3`; `base` where it sets nothing. In an experiment, arm and seed. */
export function trialLabel({ arm, set }: LabelledTrial): string {
  return arm === undefined ? settings(Object.entries(set)) : printable(armLabel(arm, set));
}

/**
 * Short labels that distinguish trials from one another: only the fields that differ between them, without their sections where that is unambiguous.
 *
 * @returns a function from a trial to its label.
 */
export function distinctLabels(trials: readonly LabelledTrial[]): (trial: LabelledTrial) => string {
  const [first] = trials;
  const paths = [...new Set(trials.flatMap(({ set }) => Object.keys(set)))];
  const varying = paths.filter((path) => trials.some(({ set }) => !isDeepStrictEqual(set[path], first?.set[path])));
  const shortOf = (path: string) => path.split(".").at(-1) ?? path;
  const isUnique = (path: string) => varying.filter((other) => shortOf(other) === shortOf(path)).length === 1;
  const titles = new Map(varying.map((path) => [path, isUnique(path) ? shortOf(path) : path]));
  return (trial) => {
    if (trial.arm !== undefined || varying.length === 0) return trialLabel(trial);
    return settings(Object.entries(trial.set).flatMap(([path, value]) => (titles.has(path) ? [[titles.get(path) ?? path, value] as const] : [])));
  };
}

function settings(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([title, value]) => `${title}=${typeof value === "string" ? printable(value) : JSON.stringify(value)}`).join(" ") || "base";
}
