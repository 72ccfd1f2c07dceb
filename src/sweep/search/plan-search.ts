import type { JsonValue } from "../../config/json-value.js";
import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/resolve-python.js";
import type { Executor } from "../executors/executor.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import { seedsOf } from "../grammar/seeds.js";
import { hasEnded } from "../ledger.js";
import { type Plan, planPoints } from "../plan/plan.js";
import { findPlanDirectory } from "../plan/plan-directory.js";
import { readSweep } from "../read-sweep.js";
import type { SweepTrial } from "../sweep-document.js";
import type { TrialResult } from "../trial-result.js";
import { askOptuna } from "./ask-optuna.js";
import type { SearchMeasure, SearchSpec } from "./search-schema.js";

const measures: Readonly<Record<SearchMeasure, (result: TrialResult) => number | null>> = {
  finalLoss: ({ finalLoss }) => finalLoss,
  C: ({ census }) => census.C,
  P: ({ census }) => census.P,
  unique: ({ census }) => census.unique,
  displacement: ({ displacement }) => displacement.float32,
};

/**
 * Plan a search as far as it is known: the points of its directory, and, when all of these have ended, the next ones that Optuna asks for. All that it goes by
 * is in that directory, so whoever comes after a kill plans the same.
 *
 * @param out the folder that holds its directory.
 * @throws {BhBridgeError} as `planPoints` and `askOptuna`.
 */
export async function planSearch(
  { name, spec, base, sourceOf }: LoadedSweep,
  search: SearchSpec,
  { executor, python, out }: { executor: Executor; python: UsablePython; out: string },
  signal?: AbortSignal,
): Promise<Plan> {
  const prune = spec.prune ?? null;
  const { trials: most, together, ...what } = search; // more points of the same search belong to it
  const planOf = async (points: readonly SweepPoint[]) =>
    (await planPoints({ name, base, points, rules: { prune, search: what }, sourceOf }, executor, signal)).plan;
  const empty = await planOf([]);
  const { same } = findPlanDirectory(out, empty);
  const trials = same === undefined ? [] : (await readSweep(same, async () => new Map())).trials;
  const known = pointsOf(trials, Object.keys(search.over));
  const left = trials.every(({ status }) => hasEnded(status)) ? Math.min(together, most - known.length) : 0;
  const told = known.map(({ values, trials: trained }) => ({ values, value: meanOf(trained, search) }));
  const asked = left > 0 ? await askOptuna(python.path, search, told, left, signal) : [];
  const placeOf = (path: string) => (path === "seed" ? "seeds" : `optuna.over.${path}`);
  const seeds = spec.seeds === undefined ? [{}] : seedsOf(spec.seeds).map((seed) => ({ seed }));
  const points = [...known.map(({ values }) => values), ...asked].flatMap((values) => seeds.map((seed) => ({ set: { ...values, ...seed }, placeOf })));
  return { ...(await planOf(points)), prune, question: null };
}

type Values = Readonly<Record<string, JsonValue>>;

/** The points of trials, in their order, with the trials of each: one for every seed. */
function pointsOf(trials: readonly SweepTrial[], fields: readonly string[]): { values: Values; trials: SweepTrial[] }[] {
  const points = new Map<string, { values: Values; trials: SweepTrial[] }>();
  for (const trial of trials) {
    const values = Object.fromEntries(fields.map((field) => [field, (trial.set[field] ?? null) as JsonValue]));
    const key = JSON.stringify(values);
    const point = points.get(key) ?? { values, trials: [] };
    point.trials.push(trial);
    points.set(key, point);
  }
  return [...points.values()];
}

/** What a point has come to: the mean over its seeds; null where none of them has the number. */
function meanOf(trials: readonly SweepTrial[], { minimize, maximize }: SearchSpec): number | null {
  const measure = minimize ?? maximize;
  if (measure === undefined) throw new BhBridgeError("USAGE", "a search says minimize or maximize");
  const numbers = trials.flatMap(({ status, result }) => (result === null || status === "failed" ? [] : (measures[measure](result) ?? [])));
  return numbers.length === 0 ? null : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
