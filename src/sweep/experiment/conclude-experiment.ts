import type { ScanOptions } from "../../analysis/scan/observation.js";
import { diffRunConfigs } from "../../config/config-hash.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import { sharedPitfalls } from "../../runner/train-result.js";
import { experimentConfounds, type FactPair, type InitialTensors, type RunFacts, readRunFacts } from "./confounds.js";
import type { ExperimentDocument } from "./experiment-summary.js";
import { experimentVerdict } from "./experiment-verdict.js";
import { defaultMeasures } from "./measures.js";
import { pairedStatistics } from "./paired-statistics.js";
import { type ExperimentRun, readExperimentRun, requireDistinctRuns } from "./read-experiment-run.js";
import type { Look, Rules } from "./rules.js";
import { sequentialEvidence } from "./sequential.js";

/** An experiment whose runs have ended. */
export interface EndedExperiment {
  readonly directory: string;
  readonly name: string;
  /** Names of the arms; the first is the control. */
  readonly arms: readonly string[];
  readonly seeds: readonly number[];
  readonly rules: Rules;
  /** Further measures to describe. */
  readonly measures?: readonly string[];
  /** Directories of the completed runs. */
  readonly runs: readonly { readonly arm: string; readonly directory: string }[];
  /** Earlier verdicts over other seeds. */
  readonly looks?: readonly Look[];
}

/** Options that need Python. */
export interface ConcludeOptions extends ScanOptions {
  /** SHA-256 of the initial tensors of a configuration, by name; without it, only the recorded embedding is compared. */
  initialTensors?(config: RunConfig): Promise<InitialTensors>;
}

/**
 * Measure the runs of an experiment, compare the arms and judge, from the run files alone, one run at a time.
 * @throws {BhBridgeError} `CONFIG_INVALID` for a duplicate or unplanned run, `ABORTED`; errors of reading a run.
 */
export async function concludeExperiment(ended: EndedExperiment, { initialTensors, ...scan }: ConcludeOptions = {}): Promise<ExperimentDocument> {
  requireDistinctRuns(ended);
  const { directory, name, arms, seeds, rules, looks = [] } = ended;
  const [control = "", ...treatments] = arms;
  const measures = [...new Set([...rules.decides, ...(ended.measures ?? []), ...defaultMeasures])];
  const runs: ExperimentRun[] = [];
  const facts: RunFacts[] = [];
  for (const { arm, directory: run } of arms.flatMap((each) => ended.runs.filter((run) => run.arm === each))) {
    runs.push(await readExperimentRun(run, arm, measures, scan));
    facts.push(await readRunFacts(run, initialTensors));
  }
  const evidence = { rules, seeds, control, treatments, runs };
  const comparisons = pairedStatistics(evidence, measures);
  const pairs = factPairs(control, runs, facts);
  return {
    schema: "bh-bridge/experiment@1",
    directory,
    name,
    seeds,
    control: runs.filter(({ arm }) => arm === control),
    treatment: runs.filter(({ arm }) => arm !== control),
    measures: comparisons,
    confounds: experimentConfounds(pairs),
    comparedTensors: comparedTensors(pairs),
    traps: sharedPitfalls(facts.map(({ config }) => config)),
    ...(looks.length > 0 && { looks }),
    ...(rules.sequential && { sequential: sequentialEvidence(evidence) }),
    verdict: experimentVerdict(evidence, comparisons, { settings: changedSettings(pairs), looks }),
  };
}

function factPairs(control: string, runs: readonly ExperimentRun[], facts: readonly RunFacts[]): FactPair[] {
  return runs.flatMap(({ arm, seed }, at) => {
    const [before, after] = [facts[runs.findIndex((run) => run.arm === control && run.seed === seed)], facts[at]];
    return arm !== control && before && after ? [{ arm, seed, control: before, treatment: after }] : [];
  });
}

/** The settings in which each treatment differs from the control in some pair, by arm. */
function changedSettings(pairs: readonly FactPair[]): Record<string, string[]> {
  const settings: Record<string, string[]> = {};
  for (const { arm, control, treatment } of pairs) {
    const paths = diffRunConfigs(control.config, treatment.config).flatMap(({ path }) => (path === "name" ? [] : [path])); // a run is named after its arm
    settings[arm] = [...new Set([...(settings[arm] ?? []), ...paths])];
  }
  return settings;
}

/** The tensors whose initial values are known for both runs of some pair. */
function comparedTensors(pairs: readonly FactPair[]): string[] {
  return [
    ...new Set(pairs.flatMap(({ control, treatment }) => Object.keys(treatment.initialTensors).filter((name) => Object.hasOwn(control.initialTensors, name)))),
  ];
}
