import { loadRunConfig } from "../../bridge/load-run-config.js";
import { corpusMemory } from "../../bridge/require-memory.js";
import { configHash } from "../../config/config-hash.js";
import { configInvalid } from "../../config/config-invalid.js";
import { valueAt } from "../../config/json-value.js";
import { assignmentLayer, type Layer, mergeLayers } from "../../config/layers.js";
import { type OwnCode, withReadCode } from "../../config/own-code.js";
import { parseRunConfig } from "../../config/parse-run-config.js";
import type { ResolvedConfig } from "../../config/resolve-run-config.js";
import { deviceKind, deviceOf } from "../../config/run-config-fields.js";
import type { RunConfig } from "../../config/run-config-schema.js";
import type { ConfigIssue } from "../../errors.js";
import { corpusIdentity, threadsInBits, trialIdentity } from "../../runs/run-config.js";
import type { CorpusFacts } from "../../runs/run-manifest.js";
import type { Overrides, SweepPoint } from "../grammar/expand-sweep.js";
import { withIssues } from "../grammar/load-sweep.js";

/** One planned training. */
export interface Trial {
  /** Its identity: 16 hexadecimal digits. */
  trial: string;
  /** Name of its arm, in an experiment. */
  arm?: string;
  /** Values it sets over the base. */
  set: Overrides;
  config: RunConfig;
  /** SHA-256 of its corpus. */
  corpus: string;
  /** Bytes of memory of the corpus, if known. */
  corpusBytes?: number;
}

export interface PlanFacts {
  /** The device that `auto` stands for here. */
  device: "cpu" | "cuda" | "mps";
  /** Default CPU threads per trial. */
  threads: number;
  /** The corpus of a configuration, cached. */
  corpusOf(config: RunConfig): Promise<Pick<CorpusFacts, "sha256" | "tokenizer" | "tokens" | "windows">>;
  /** Source of a path of the sweep. */
  sourceOf(path: string): string;
  /** The user's code by its path: as stored earlier, or as first read. */
  code: Map<string, OwnCode>;
}

/**
 * The trial of each point, in order: merged with the base, validated and identified.
 * @throws {BhBridgeError} `CONFIG_INVALID` with all problems at once, each reported for the first trial that has it.
 */
export async function planTrials(base: ResolvedConfig, points: readonly SweepPoint[], facts: PlanFacts): Promise<Trial[]> {
  const issues = new Map<string, ConfigIssue>();
  const report = (issue: ConfigIssue) => {
    const key = `${issue.path} ${issue.message}`;
    if (!issues.has(key)) issues.set(key, issue);
  };
  const trials: Trial[] = [];
  for (const point of points) {
    const planned = await withIssues(report, async () => {
      const config = await configOf(base, point, facts);
      return { config, corpus: await facts.corpusOf(config) };
    });
    if (!planned) continue;
    const { config, corpus } = planned;
    const wanted = deviceOf(config);
    const device = wanted === "auto" ? facts.device : deviceKind(wanted);
    const threads = threadsInBits(config.engine.name, config.threads ?? facts.threads);
    const trial = trialIdentity({ configHash: configHash(config), corpus: corpusIdentity(corpus), device, threads });
    trials.push({ trial, set: point.set, config, corpus: corpus.sha256, corpusBytes: corpusMemory(corpus, config) });
  }
  if (issues.size > 0) throw configInvalid([...issues.values()]);
  return trials;
}

async function configOf(base: ResolvedConfig, { set, locationOf }: SweepPoint, facts: PlanFacts): Promise<RunConfig> {
  const values = withReadCode(set, facts.code);
  const assignments = Object.entries(values).map(([path, value]) => ({ path, value, source: facts.sourceOf(locationOf(path)) }));
  const config = Object.hasOwn(set, "model.from") ? await withOtherWeights(base, values) : laidOver(base, assignmentLayer(assignments));
  return { ...config, threads: config.threads ?? facts.threads };
}

/** The complete configuration of a base with a layer over it. @throws {BhBridgeError} `CONFIG_INVALID`. */
export function laidOver(base: ResolvedConfig, over: Layer): RunConfig {
  const complete: Layer = { values: { ...base.config, ...base.unused }, sourceOf: (path) => base.sources.get(path) ?? "default" };
  const issues: ConfigIssue[] = [];
  const { values, sources } = mergeLayers([complete, over], issues);
  return parseRunConfig(values, sources, issues);
}

/** Other weights have another architecture, which is read from them, so the base is resolved again. */
async function withOtherWeights(base: ResolvedConfig, set: Readonly<Record<string, unknown>>): Promise<RunConfig> {
  const given = [...base.sources].filter(([, source]) => !/^(?:default$|default of |preset |checkpoint )/.test(source));
  const { values } = assignmentLayer(given.map(([path, source]) => ({ path, value: valueAt(path.split("."), base.config), source })));
  const { values: over } = assignmentLayer(Object.entries(set).map(([path, value]) => ({ path, value, source: "grid" })));
  const { values: input } = mergeLayers(
    [base.unused, values, over].map((each) => ({ values: each, sourceOf: () => "input" })),
    [],
  );
  return (await loadRunConfig({ preset: base.preset, input })).config;
}
