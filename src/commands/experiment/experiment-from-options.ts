import { configInvalid } from "../../config/config-invalid.js";
import { setLayer } from "../../config/layers.js";
import { BhBridgeError, type ConfigIssue } from "../../errors.js";
import { defaultMaxSeeds, type ExperimentDefinition, type LoadedExperiment, loadExperiment, plannedSeeds } from "../../sweep/experiment/load-experiment.js";
import { measureProblem } from "../../sweep/experiment/measures.js";
import type { NoiseFloorQuestion, PlannedEffect } from "../../sweep/experiment/noise-floor.js";
import { appliedRules, rulesSchema } from "../../sweep/experiment/rules.js";
import { parseSeedsText } from "../../sweep/grammar/axis.js";
import { flattenOverrides } from "../../sweep/grammar/expand-sweep.js";
import { seedsOf, seedsSchema } from "../../sweep/grammar/sweep-schema.js";

/** Settings from the command line, which override those of the file. */
export interface ExperimentOptions {
  /** Each as `name:field=value,field=value`. */
  arms: readonly string[];
  seeds: string | undefined;
  name: string | undefined;
  /** Judge after every pair, and stop when decided. */
  untilDecided?: boolean | undefined;
  /** Maximum of pairs of a sequential experiment. */
  maxSeeds?: number | undefined;
}

/**
 * Load a shipped experiment or a file and apply the command line, or create an experiment from arms alone.
 * @throws {BhBridgeError} `CONFIG_INVALID`; `USAGE` without an experiment and arms.
 */
export async function experimentFromOptions(
  given: string | undefined,
  { arms, seeds, name, untilDecided = false, maxSeeds }: ExperimentOptions,
): Promise<LoadedExperiment> {
  if (given === undefined && arms.length === 0) {
    throw new BhBridgeError("USAGE", "name a shipped experiment (see: bh-bridge presets), a file, or arms: --arm still --arm jiggle:noise.epsilon=3e-5");
  }
  const issues: ConfigIssue[] = [];
  const added = armsOf(arms, issues);
  const wanted = seeds === undefined ? undefined : seedsFromText(seeds, issues);
  if (issues.length > 0) throw configInvalid(issues);
  const loaded = await loadExperiment(given ?? ({ arms: added } as ExperimentDefinition));
  const isSequential = loaded.rules.sequential || untilDecided;
  if (maxSeeds !== undefined && !isSequential) {
    throw new BhBridgeError("USAGE", "--max-seeds limits an experiment that stops when it is decided. Add --until-decided, or use --seeds");
  }
  const isListed = loaded.rules.sequential || seeds !== undefined;
  const most = maxSeeds ?? (isSequential && !isListed ? defaultMaxSeeds : undefined);
  return {
    ...loaded,
    arms: { ...loaded.arms, ...added },
    rules: { ...loaded.rules, sequential: isSequential },
    ...(most !== undefined && { maxSeeds: most }),
    ...(name !== undefined && { name }),
    ...(wanted !== undefined && { seeds: wanted }),
    sourceOf: (path) => (Object.keys(added).some((arm) => `${path}.`.startsWith(`arms.${arm}.`)) ? "--arm" : loaded.sourceOf(path)),
  };
}

function seedsFromText(text: string, issues: ConfigIssue[]): number[] {
  const { data, error } = seedsSchema.safeParse(parseSeedsText(text));
  if (data !== undefined) return seedsOf(data);
  issues.push({ path: "seeds", message: `${JSON.stringify(text)} is not accepted: ${error?.issues[0]?.message}`, source: "--seeds" });
  return [];
}

/** Settings of a noise floor from the command line. */
export interface NoiseFloorOptions extends ExperimentOptions {
  noiseFloor: number;
  /** Each as `measure=size`. */
  effects: readonly string[];
}

/**
 * The noise floor of the control of an experiment, or of a configuration without arms.
 * @throws {BhBridgeError} as `experimentFromOptions`; `USAGE` for an effect that cannot be simulated.
 */
export async function noiseFloorFromOptions(given: string | undefined, options: NoiseFloorOptions): Promise<NoiseFloorSource> {
  const { arms, seeds, name, noiseFloor, untilDecided = false, maxSeeds } = options;
  if (untilDecided || maxSeeds !== undefined) {
    throw new BhBridgeError("USAGE", "--noise-floor trains the control alone, so nothing is decided. Omit --until-decided and --max-seeds");
  }
  const effects = options.effects.map(effectFromText);
  const isAlone = given === undefined && arms.length === 0;
  const issues: ConfigIssue[] = [];
  const listed = seeds === undefined ? undefined : seedsFromText(seeds, issues);
  if (issues.length > 0) throw configInvalid(issues);
  const plain: LoadedExperiment = {
    name: name ?? "configuration",
    arms: {},
    rules: appliedRules(rulesSchema.parse({})),
    measures: [],
    directory: process.cwd(),
    sourceOf: () => "input",
    ...(listed && { seeds: listed }),
  };
  const loaded = { ...(isAlone ? plain : await experimentFromOptions(given, { arms, seeds, name })), maxSeeds: noiseFloor };
  const [[arm, set] = [null, {}], ...treatments] = Object.entries(loaded.arms);
  return { loaded, question: (seed) => ({ loaded, control: { arm, set }, treatments: treatments.length, seeds: plannedSeeds(loaded, seed), effects }) };
}

interface NoiseFloorSource {
  readonly loaded: LoadedExperiment;
  /** @param seed of the base, which starts the seeds if none are listed. */
  question(seed: number): NoiseFloorQuestion;
}

function effectFromText(text: string): PlannedEffect {
  const [, measure = "", number = ""] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const size = Number(number);
  const usage = `--effect ${text}: write the name of a measure and the size of its difference, such as finalLoss=0.02`;
  if (measure === "" || !Number.isFinite(size) || size === 0) throw new BhBridgeError("USAGE", usage);
  const problem = measureProblem(measure);
  if (problem !== undefined) throw new BhBridgeError("USAGE", `--effect ${text}: ${problem}`);
  if (measure === "score") throw new BhBridgeError("USAGE", "--effect score: a score is 0 or 1, and its spread is no noise floor. Name another measure");
  return { measure, size };
}

function armsOf(texts: readonly string[], issues: ConfigIssue[]): Record<string, LoadedExperiment["arms"][string]> {
  const arms: Record<string, LoadedExperiment["arms"][string]> = {};
  for (const text of texts) {
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const settings = colon < 0 ? [] : text.slice(colon + 1).split(",");
    const found: ConfigIssue[] = [];
    const flat = settings.map((setting) => setLayer([setting], found).values);
    issues.push(...found.map((issue) => ({ ...issue, source: "--arm" })));
    arms[name] = Object.assign({}, arms[name], ...flat.map(flattenOverrides));
  }
  return arms;
}
