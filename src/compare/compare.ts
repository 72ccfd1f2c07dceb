import { basename, resolve } from "node:path";
import { z } from "zod";
import type { ScanOptions } from "../analysis/scan/observation.js";
import { callArguments } from "../bridge/call-arguments.js";
import { configIdentity } from "../config/config-hash.js";
import { openRun, type Run } from "../runner/open-run.js";
import { runNames } from "../text/names.js";
import { compareFinalModels, modelComparisonSchema } from "./compare-models.js";
import {
  compareLosses,
  compareRecordings,
  compareResults,
  lossComparisonSchema,
  outcomes,
  recordingComparisonSchema,
  resultSchema,
  timings,
} from "./compare-recordings.js";
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
  loss: z.array(z.strictObject({ ...pairShape, ...lossComparisonSchema.shape })),
  final: z.array(z.strictObject({ ...pairShape, ...modelComparisonSchema.shape })),
  /** Where the trainings of each unequal pair diverge; absent unless `deep`. */
  deep: z.array(divergenceSchema).optional(),
});
export type Comparison = z.output<typeof comparisonSchema>;

export interface CompareOptions extends Pick<ScanOptions, "signal"> {
  /** Also report names, paths, times and all packages. */
  all?: boolean;
  /** Train each unequal pair again, and find the first different tensor. */
  deep?: boolean;
  /** Present path of the same text, for `deep`. */
  corpus?: string | undefined;
  /** Path of an interpreter for `deep` (default: from each run's configuration). */
  python?: string | undefined;
}

const compareArguments = z.strictObject({
  runs: z.array(z.string()).min(2),
  all: z.boolean().optional(),
  deep: z.boolean().optional(),
  corpus: z.string().optional(),
  python: z.string().optional(),
  signal: z.instanceof(AbortSignal).optional(),
});

/**
 * Compare runs: their inputs, their results, and the first different bit of their histories, losses and final models.
 * @param runs paths of two or more directories.
 * @throws {BhBridgeError} `USAGE` for fewer than two; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`, `FORMAT_INVALID`, `ABORTED`; with `deep` also as
 * `reproduce`.
 */
export async function compare(runs: readonly string[], options: CompareOptions = {}): Promise<Comparison> {
  const { all = false, deep = false, corpus, python, signal } = callArguments("compare", compareArguments, { ...options, runs });
  const opened = await Promise.all(runs.map(openRun));
  const facts = opened.map(all ? allFacts : tellingFacts);
  const results = [];
  for (const run of opened) results.push(await run.result({ signal }));
  const history: Comparison["history"] = [];
  const pairs = runs.slice(1).map((run) => ({ a: resolve(runs[0] ?? ""), b: resolve(run) }));
  for (const pair of pairs) history.push({ ...pair, ...(await compareRecordings(pair.a, pair.b, { signal })) });
  const comparison: Comparison = {
    runs: opened.map(({ directory }) => directory),
    names: namesOf(opened),
    differences: Object.fromEntries(factSections.map((section) => [section, differences(facts.map((each) => each[section]))])) as Comparison["differences"],
    results: compareResults(results, all ? { ...outcomes, ...timings } : outcomes),
    history,
    loss: pairs.map((pair) => ({ ...pair, ...compareLosses(pair.a, pair.b) })),
    final: pairs.map((pair) => ({ ...pair, ...compareFinalModels(pair.a, pair.b) })),
  };
  if (!deep) return comparison;
  const [{ resolvePython }, { pythonOf }] = await Promise.all([import("../python/require-packages.js"), import("./train-again.js")]);
  return { ...comparison, deep: await locateDivergences(comparison, { python: (run) => resolvePython(pythonOf(run, python), signal), corpus, signal }) };
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
    if (!loss || (history.equal && loss.equal && final?.equal)) continue;
    const [a, b] = [await openRun(history.a), await openRun(history.b)];
    found.push(await locateDivergence(planDivergence(a, b, { history, loss, corpus }), options));
  }
  return found;
}

/** Parts that can be required to be equal: bits of every recorded state, every loss and the final model; the configuration. */
export const comparableParts = ["history", "loss", "config", "final"] as const;
export type ComparablePart = (typeof comparableParts)[number];

/** The parts among `demanded` in which the runs differ, in this order. */
export function unequalParts(comparison: Comparison, demanded: readonly ComparablePart[]): ComparablePart[] {
  return demanded.filter((part) => (part === "config" ? comparison.differences.config.length > 0 : comparison[part].some(({ equal }) => !equal)));
}
