import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { JsonValue } from "../../config/json-value.js";
import { BhBridgeError } from "../../errors.js";
import type { UsablePython } from "../../python/require-packages.js";
import { runPythonScript } from "../../python/run-python-script.js";
import { temporaryFolder } from "../../python/session-folder.js";
import type { Executor } from "../executors/executor.js";
import type { SweepPoint } from "../grammar/expand-sweep.js";
import type { LoadedSweep } from "../grammar/load-sweep.js";
import { type SearchSpec, seedsOf } from "../grammar/sweep-schema.js";
import { hasEnded } from "../ledger.js";
import { resultNumbers } from "../pool/trial-task.js";
import type { SweepTrial } from "../sweep-document.js";
import { readSweep } from "../sweep-summary.js";
import { type Plan, planPoints } from "./plan.js";
import { findPlanDirectory, readPlan } from "./plan-directory.js";

const answerSchema = z.union([z.strictObject({ asked: z.array(z.record(z.string(), z.number())) }), z.strictObject({ missing: z.string() })]);

/** Importing Optuna takes a second; reporting a thousand points a few more. */
const timeoutMs = 300_000;
/** Enough digits to distinguish values, few enough to read. */
const digits = 6;

/**
 * Ask Optuna for points, given all earlier results (null for a point that failed). It has no other state, so equal requests get equal answers.
 * @throws {BhBridgeError} `PYTHON_DEPENDENCY_MISSING` with the command that installs Optuna; `ABORTED`.
 */
export async function askOptuna(
  interpreter: string,
  { over, seed, minimize }: SearchSpec,
  ended: readonly { values: Values; value: number | null }[],
  count: number,
  signal?: AbortSignal,
): Promise<Record<string, JsonValue>[]> {
  const coded = ended.map(({ values, value }) => ({
    value,
    codes: Object.fromEntries(Object.entries(over).map(([path, draw]) => [path, codeOf(draw, values[path])])),
  }));
  using folder = temporaryFolder("search");
  const path = join(folder.path, "request.json");
  writeFileSync(path, JSON.stringify({ over, seed, direction: minimize === undefined ? "maximize" : "minimize", told: coded, count }));
  const answer = answerSchema.parse(await runPythonScript(interpreter, { file: "scripts/ask_optuna.py", args: [path], timeoutMs, signal }));
  if ("missing" in answer) {
    const install = `${interpreter} -m pip install ${JSON.stringify("optuna>=4")}`;
    throw new BhBridgeError("PYTHON_DEPENDENCY_MISSING", `a search needs Optuna (${answer.missing}). Install it with: ${install}`);
  }
  return answer.asked.map((codes) => Object.fromEntries(Object.entries(over).map(([field, draw]) => [field, decoded(draw, codes[field] ?? 0)])));
}

type Draw = SearchSpec["over"][string];

/** Optuna uses numbers: a list value is coded as its index. */
function codeOf(draw: Draw, value: JsonValue | undefined): number {
  return Array.isArray(draw) ? draw.findIndex((each) => isDeepStrictEqual(each, value)) : Number(value);
}

function decoded(draw: Draw, code: number): JsonValue {
  if (Array.isArray(draw)) return draw[code] ?? null;
  return "int" in draw ? code : Number(code.toPrecision(digits));
}

/**
 * Plan a search as far as known: the points of its directory and, once all have ended, the next points from Optuna. It depends only on that directory, so a
 * restart plans the same.
 * @param out folder for its directory.
 * @throws {BhBridgeError} as `planPoints` and `askOptuna`.
 */
export async function planSearch(
  { name, spec, base, sourceOf }: LoadedSweep,
  search: SearchSpec,
  { executor, python, out }: { executor: Executor; python: UsablePython; out: string },
  signal?: AbortSignal,
): Promise<Plan> {
  const prune = spec.prune ?? null;
  const { trials: most, together, ...what } = search; // raising these limits keeps the search the same
  const planOf = async (points: readonly SweepPoint[], code?: Plan["code"]) =>
    (await planPoints({ name, base, points, code, rules: { prune, search: what }, sourceOf }, executor, signal)).plan;
  const empty = await planOf([]);
  const { same } = findPlanDirectory(out, empty);
  const trials = same === undefined ? [] : (await readSweep(same, async () => new Map())).trials;
  const known = pointsOf(trials, Object.keys(search.over));
  const left = trials.every(({ status }) => hasEnded(status)) ? Math.min(together, most - known.length) : 0;
  const ended = known.map(({ values, trials: trained }) => ({ values, value: meanOf(trained, search) }));
  const asked = left > 0 ? await askOptuna(python.path, search, ended, left, signal) : [];
  const locationOf = (path: string) => (path === "seed" ? "seeds" : `optuna.over.${path}`);
  const seeds = spec.seeds === undefined ? [{}] : seedsOf(spec.seeds).map((seed) => ({ seed }));
  const points = [...known.map(({ values }) => values), ...asked].flatMap((values) => seeds.map((seed) => ({ set: { ...values, ...seed }, locationOf })));
  return { ...(await planOf(points, same === undefined ? undefined : readPlan(same).code)), prune, question: null };
}

type Values = Readonly<Record<string, JsonValue>>;

/** The points in order, each with its trials (one per seed). */
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

/** The mean of a point over its seeds; null if no seed has the number. */
function meanOf(trials: readonly SweepTrial[], { minimize, maximize }: SearchSpec): number | null {
  const measure = minimize ?? maximize;
  if (measure === undefined) throw new BhBridgeError("USAGE", "a search needs minimize or maximize");
  const numbers = trials.flatMap(({ status, result }) => (result === null || status === "failed" ? [] : (resultNumbers[measure](result) ?? [])));
  return numbers.length === 0 ? null : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
