import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { z } from "zod";
import { census } from "../analysis/census/census.js";
import { centroidNorm } from "../analysis/geometry/centroid.js";
import { callArguments } from "../bridge/call-arguments.js";
import { configIdentity } from "../config/config-hash.js";
import { BhBridgeError } from "../errors.js";
import {
  compareLosses,
  compareMeasures,
  compareRecordings,
  compareResults,
  lossComparisonSchema,
  lossesOf,
  outcomes,
  recordingComparisonSchema,
  resultSchema,
  timings,
} from "../runner/compare-recordings.js";
import { lastStep, type ModelAtStep } from "../runner/model-at.js";
import { openRun, type Run } from "../runner/open-run.js";
import { readEmbedding } from "../runs/open-embedding.js";
import { runNames } from "../text/names.js";
import {
  compareFinalModels,
  compareModelsOfSteps,
  compareRecordedWeights,
  modelComparisonSchema,
  modelDistanceSchema,
  weightsComparisonSchema,
} from "./compare-models.js";
import { type Divergence, type DivergenceOptions, divergenceSchema } from "./locate-divergence.js";
import { allFacts, differenceSchema, differences, factSections, tellingFacts } from "./run-facts.js";

const pairShape = { a: z.string(), b: z.string() };

/** Differences between runs. Every further run is compared with the first. */
export const comparisonSchema = z.strictObject({
  /** Absolute paths, in the order of values. */
  runs: z.array(z.string()),
  /** Their names with the differing fields, such as `quick · seed 43`. */
  names: z.array(z.string()).optional(),
  differences: z.record(z.enum(factSections), z.array(differenceSchema)),
  results: z.array(resultSchema),
  history: z.array(z.strictObject({ ...pairShape, ...recordingComparisonSchema.shape })),
  /** All weights of every step, for each pair of which both have `record.model: deltas`; absent if there is none. */
  weights: z.array(z.strictObject({ ...pairShape, ...weightsComparisonSchema.shape })).optional(),
  loss: z.array(z.strictObject({ ...pairShape, ...lossComparisonSchema.shape })),
  final: z.array(z.strictObject({ ...pairShape, ...modelComparisonSchema.shape })),
  /** Versions of the recipe of engine `portable`, in the order of runs; null for other engines, absent if all have other engines. */
  recipes: z.array(z.int().nullable()).optional(),
  /** The step of each model, if models of steps are compared: `final` then compares these models; `history` and `loss` are empty. */
  steps: z.array(z.int().nonnegative()).optional(),
  /** Distances of all tensors, if models of steps are compared. */
  models: z.array(modelDistanceSchema).optional(),
  /** Where the trainings of each unequal pair diverge; absent unless `deep`. */
  deep: z.array(divergenceSchema).optional(),
});
export type Comparison = z.output<typeof comparisonSchema>;

const compareArguments = z.strictObject({
  runs: z.array(z.string()).min(2),
  /** Also report names, paths, times and all packages. */
  all: z.boolean().optional(),
  /** Train each unequal pair again, and find the first different tensor. */
  deep: z.boolean().optional(),
  /** Present path of the same text, for `deep`. */
  corpus: z.string().optional(),
  /** Path of an interpreter for `deep` (default: from each run's configuration). */
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});
/** Options of `compare`. */
export type CompareOptions = Omit<z.input<typeof compareArguments>, "runs">;

/**
 * Compare runs: their inputs, their results, and the first different bit of their histories, weights, losses and final models. `RUN::STEP` compares the complete models
 * of steps instead: the first different bit, and the distance of every tensor.
 * @param runs paths of two or more directories, each with `::` and a step for the model of that step.
 * @throws {BhBridgeError} `USAGE` for fewer than two; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`, `FORMAT_INVALID`, `ABORTED`; with `deep` also as
 * `reproduce`.
 */
export async function compare(runs: readonly string[], options: CompareOptions = {}): Promise<Comparison> {
  const { all = false, deep = false, corpus, python, signal } = callArguments("compare", compareArguments, { ...options, runs });
  const targets = runs.map(stepTarget);
  if (targets.some(({ step }) => step !== undefined)) {
    if (deep) throw new BhBridgeError("USAGE", "compare: deep compares trainings, not models of steps: omit the steps");
    return compareAtSteps(targets, ({ run, step }) => run.modelAt(step, { corpus, python, signal }));
  }
  const opened = await Promise.all(runs.map(openRun));
  const facts = opened.map(all ? allFacts : tellingFacts);
  const results = [];
  for (const run of opened) results.push(await run.result({ signal }));
  const history: Comparison["history"] = [];
  const pairs = runs.slice(1).map((run) => ({ a: resolve(runs[0] ?? ""), b: resolve(run) }));
  const weights: NonNullable<Comparison["weights"]> = [];
  for (const pair of pairs) {
    history.push({ ...pair, ...(await compareRecordings(pair.a, pair.b, { signal })) });
    const compared = await compareRecordedWeights(pair.a, pair.b, { signal });
    if (compared) weights.push({ ...pair, ...compared });
  }
  const recipes = opened.map(({ manifest }) => manifest.environment.recipe ?? null);
  const comparison: Comparison = {
    runs: opened.map(({ directory }) => directory),
    names: namesOf(opened),
    differences: differencesOf(facts),
    results: compareResults(results, all ? { ...outcomes, ...timings } : outcomes),
    history,
    ...(weights.length > 0 && { weights }),
    loss: pairs.map((pair) => ({ ...pair, ...compareLosses(pair.a, pair.b) })),
    final: pairs.map((pair) => ({ ...pair, ...compareFinalModels(pair.a, pair.b) })),
    ...(recipes.some((recipe) => recipe !== null) && { recipes }),
  };
  if (!deep) return comparison;
  const [{ resolvePython }, { pythonOf }] = await Promise.all([import("../python/require-packages.js"), import("../runner/train-again.js")]);
  return { ...comparison, deep: await locateDivergences(comparison, { python: (run) => resolvePython(pythonOf(run, python), signal), corpus, signal }) };
}

/** A run, and the step of its model if one is named. */
export interface StepTarget {
  readonly run: string;
  readonly step?: number;
}

/** Split `RUN::STEP`, unless a file of this whole name exists. */
export function stepTarget(text: string): StepTarget {
  const { run, step } = /^(?<run>.+)::(?<step>\d{1,15})$/s.exec(text)?.groups ?? {};
  return run === undefined || existsSync(text) ? { run: text } : { run, step: Number(step) };
}

/**
 * Compare the complete models of steps; a run without a step has its last recorded one. Each is compared with the first.
 * @param obtain obtains a model, which is disposed of here.
 * @throws {BhBridgeError} as `Run.modelAt`.
 */
export async function compareAtSteps(
  targets: readonly StepTarget[],
  obtain: (target: { run: Run; step: number }) => Promise<ModelAtStep>,
): Promise<Comparison> {
  const found: { run: Run; model: ModelAtStep }[] = [];
  try {
    for (const target of targets) {
      const run = await openRun(target.run);
      found.push({ run, model: await obtain({ run, step: target.step ?? lastStep(run) }) });
    }
    return await comparisonOfModels(found);
  } finally {
    for (const { model } of found) model[Symbol.dispose]();
  }
}

async function comparisonOfModels(found: readonly { run: Run; model: ModelAtStep }[]): Promise<Comparison> {
  const [first, ...others] = found;
  if (!first) throw new BhBridgeError("USAGE", "compare: name two models or more");
  const facts = found.map(({ run }) => tellingFacts(run));
  const nameOf = ({ directory, step }: { directory: string; step: number }) => `${directory}::${step}`;
  const pairs = others.map((other) => ({
    a: nameOf({ directory: first.run.directory, step: first.model.step }),
    b: nameOf({ directory: other.run.directory, step: other.model.step }),
    ...compareModelsOfSteps(first.model, other.model),
  }));
  const names = namesOf(found.map(({ run }) => run));
  return {
    runs: found.map(({ run }) => run.directory),
    names: found.map(({ model }, index) => `${names[index]} · step ${model.step}`),
    differences: differencesOf(facts),
    results: compareMeasures(await Promise.all(found.map(measuresOfModel))),
    history: [],
    loss: [],
    final: pairs.map(({ a, b, comparison }) => ({ a, b, ...comparison })),
    steps: found.map(({ model }) => model.step),
    models: pairs.map(({ distance }) => distance),
  };
}

async function measuresOfModel({ run, model }: { run: Run; model: ModelAtStep }): Promise<Record<string, number | null>> {
  const embedding = await readEmbedding(model.directory, {
    tensor: run.config.model.type === "python" ? (run.config.model.embedding ?? undefined) : undefined,
  });
  const { C, P, unique } = census(embedding);
  const norm = centroidNorm(embedding);
  return {
    loss: lossesOf(run.directory, model.step).get(model.step) ?? null,
    "census.C": C,
    "census.P": P,
    "census.unique": unique,
    centroidNorm: Number.isFinite(norm) ? norm : null,
  };
}

function differencesOf(facts: readonly ReturnType<typeof tellingFacts>[]): Comparison["differences"] {
  return Object.fromEntries(factSections.map((section) => [section, differences(facts.map((each) => each[section]))])) as Comparison["differences"];
}

function namesOf(runs: readonly Pick<Run, "config" | "manifest" | "directory">[]): string[] {
  const differing = differences(runs.map(({ config }) => configIdentity(config)));
  const ownOf = (run: number) => Object.fromEntries(differing.map(({ path, values }) => [path, values[run]]));
  return runNames(runs.map(({ manifest, directory }, run) => ({ name: manifest.name, differs: ownOf(run), directory: basename(directory) })));
}

/** Train each unequal pair of a comparison again, and find where they diverge. @throws {BhBridgeError} as `compare`. */
export async function locateDivergences(
  comparison: Comparison,
  { corpus, ...options }: DivergenceOptions & { corpus?: string | undefined },
): Promise<Divergence[]> {
  const { locateDivergence, planDivergence } = await import("./locate-divergence.js");
  const found: Divergence[] = [];
  for (const [index, history] of comparison.history.entries()) {
    const [loss, final] = [comparison.loss[index], comparison.final[index]];
    const weights = comparison.weights?.find(({ a, b }) => a === history.a && b === history.b);
    if (!loss || (history.equal && loss.equal && final?.equal && weights?.equal !== false)) continue;
    const [a, b] = [await openRun(history.a), await openRun(history.b)];
    found.push(await locateDivergence(planDivergence(a, b, { history, weights, loss, corpus }), options));
  }
  return found;
}

/** Parts that can be required to be equal: bits of every recorded state, every loss and the final model; the configuration. */
export const comparableParts = ["history", "loss", "config", "final"] as const;
/** A part of two runs that can be required to be equal. */
export type ComparablePart = (typeof comparableParts)[number];

/** The parts among `demanded` in which the runs differ, in this order. */
export function unequalParts(comparison: Comparison, demanded: readonly ComparablePart[]): ComparablePart[] {
  return demanded.filter((part) => (part === "config" ? comparison.differences.config.length > 0 : comparison[part].some(({ equal }) => !equal)));
}
