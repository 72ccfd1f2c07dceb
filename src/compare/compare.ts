import { resolve } from "node:path";
import { z } from "zod";
import type { ScanOptions } from "../analysis/scan/scan-options.js";
import { callArguments } from "../bridge/call-arguments.js";
import { openRun } from "../runner/open-run.js";
import { compareLosses, lossComparisonSchema } from "./compare-losses.js";
import { compareFinalModels, modelComparisonSchema } from "./compare-models.js";
import { compareRecordings, recordingComparisonSchema } from "./compare-recordings.js";
import { compareResults, outcomes, resultSchema, timings } from "./compare-results.js";
import { differenceSchema, differences } from "./differences.js";
import { allFacts, factSections, tellingFacts } from "./run-facts.js";

const pairShape = { a: z.string(), b: z.string() };

/** What differs between runs, and where; every further run is held against the first. */
export const comparisonSchema = z.strictObject({
  /** Absolute paths, in the order in which values are told. */
  runs: z.array(z.string()),
  differences: z.record(z.enum(factSections), z.array(differenceSchema)),
  results: z.array(resultSchema),
  history: z.array(z.strictObject({ ...pairShape, ...recordingComparisonSchema.shape })),
  loss: z.array(z.strictObject({ ...pairShape, ...lossComparisonSchema.shape })),
  final: z.array(z.strictObject({ ...pairShape, ...modelComparisonSchema.shape })),
});
export type Comparison = z.output<typeof comparisonSchema>;

export interface CompareOptions extends Pick<ScanOptions, "signal"> {
  /** Tell names, paths, times and all packages too. */
  all?: boolean;
}

const compareArguments = z.strictObject({ runs: z.array(z.string()).min(2), all: z.boolean().optional(), signal: z.instanceof(AbortSignal).optional() });

/**
 * What differs between runs: in what they were made from, in what came out, and the first bit in which their histories, losses and final models differ.
 *
 * @param runs paths of their directories, two or more.
 * @throws {BhBridgeError} `USAGE` for fewer than two; `RUN_NOT_FOUND`, `RUN_CORRUPT`, `RUN_UNSUPPORTED`, `FORMAT_INVALID`, `ABORTED`.
 */
export async function compare(runs: readonly string[], options: CompareOptions = {}): Promise<Comparison> {
  const { all = false, signal } = callArguments("compare", compareArguments, { ...options, runs });
  const opened = await Promise.all(runs.map(openRun));
  const facts = opened.map(all ? allFacts : tellingFacts);
  const results = [];
  for (const run of opened) results.push(await run.result({ signal }));
  const history: Comparison["history"] = [];
  const pairs = runs.slice(1).map((run) => ({ a: resolve(runs[0] ?? ""), b: resolve(run) }));
  for (const pair of pairs) history.push({ ...pair, ...(await compareRecordings(pair.a, pair.b, { signal })) });
  return {
    runs: opened.map(({ directory }) => directory),
    differences: Object.fromEntries(factSections.map((section) => [section, differences(facts.map((each) => each[section]))])) as Comparison["differences"],
    results: compareResults(results, all ? { ...outcomes, ...timings } : outcomes),
    history,
    loss: pairs.map((pair) => ({ ...pair, ...compareLosses(pair.a, pair.b) })),
    final: pairs.map((pair) => ({ ...pair, ...compareFinalModels(pair.a, pair.b) })),
  };
}

/** What can be demanded of runs: the same bits in every recorded state, in every loss, in the final model; the same configuration. */
export const comparableParts = ["history", "loss", "config", "final"] as const;
export type ComparablePart = (typeof comparableParts)[number];

/** The parts among `demanded` in which the runs are not equal, in their order. */
export function unequalParts(comparison: Comparison, demanded: readonly ComparablePart[]): ComparablePart[] {
  return demanded.filter((part) => (part === "config" ? comparison.differences.config.length > 0 : comparison[part].some(({ equal }) => !equal)));
}
